import { resolve } from 'node:path';
import type { ListeningScore, ListeningSummary } from '../../engine/api/listening.ts';
import { percent, table } from '../text.ts';
import type { AddVerb } from '../verb.ts';

interface Options {
  rounds?: string;
  scores?: string;
}

const questions: Record<ListeningScore['kind'], string> = {
  class: 'which class',
  real: 'which is real',
  abx: 'is X A or B',
};

type Line = ListeningScore & { test: ListeningSummary };

/** Adds `archetone listening`. */
export const listeningVerb: AddVerb = (program, cli) => {
  program
    .command('listening')
    .description('What people recognised in blind listening tests (taken in the window, in Prototypes).')
    .argument('<library>', "folder with the library's data")
    .option('--rounds <file>', 'write every answer as CSV, with what was asked and how it sounded')
    .option('--scores <file>', 'write the figures of each class as CSV')
    .addHelpText('after', '\nExample:\n  archetone listening ~/archetone-music --scores listening.csv')
    .action((folder: string, options: Options) =>
      cli.answer(() =>
        cli.withLibrary(folder, async (session) => {
          const { id: libraryId } = await session.library();
          const { client } = session;
          const tests = await client.call('listening.list', { libraryId });
          const written = [];
          for (const what of ['rounds', 'scores'] as const) {
            const path = options[what];
            if (path !== undefined)
              written.push(await client.call('listening.export', { libraryId, what, path: resolve(path) }));
          }
          return { json: { tests, written }, text: described(tests) };
        }),
      ),
    );
};

function described(tests: readonly ListeningSummary[]): string {
  if (tests.length === 0)
    return 'No listening test was taken. Take one in the window: Prototypes, Listening test.';
  return table<Line>(
    [
      { title: 'when', value: ({ test }) => test.createdAt.slice(0, 16).replace('T', ' ') },
      { title: 'experiment', value: ({ test }) => `${test.experimentName}, revision ${test.revision}` },
      { title: 'pack', value: ({ test }) => test.space.packId },
      {
        title: 'sounds',
        value: ({ test: { settings: s } }) =>
          `${s.from.origin === 'noise' ? 'noise' : `recording ${s.from.share}`}, ${s.steps} steps, guidance ${s.guidance}, seed ${s.seed}`,
      },
      { title: 'question', value: ({ kind }) => questions[kind] },
      { title: 'class', value: (line) => line.class ?? 'all' },
      { title: 'right', value: ({ right, answered }) => `${right} of ${answered}`, align: 'right' },
      { title: 'share', value: ({ share }) => (share === null ? '–' : percent(share)), align: 'right' },
      { title: '95 %', value: ({ low, high }) => `${percent(low)}–${percent(high)}`, align: 'right' },
      { title: 'chance', value: ({ chance }) => percent(chance), align: 'right' },
    ],
    tests.flatMap((test) => test.scores.map((score) => ({ ...score, test }))),
  );
}
