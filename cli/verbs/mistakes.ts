import { resolve } from 'node:path';
import type { LibrarySummary } from '../../engine/api/libraries.ts';
import {
  type Mistake,
  type MistakeDecision,
  type MistakesReport,
  type MistakeTab,
  mistakeTabs,
  queueOrders,
} from '../../engine/api/mistakes.ts';
import { EngineError } from '../../engine/api/errors.ts';
import { counted } from '../../engine/counted.ts';
import { seedNumber, wholeNumber } from '../options.ts';
import type { Session } from '../session.ts';
import { parseTaxonomy, TAXONOMY_HELP, taxonomyOf } from '../taxonomy.ts';
import { pairs, someOf, table } from '../text.ts';
import type { AddVerb, Answer, Cli } from '../verb.ts';

interface Options {
  taxonomy: string;
  folds: number;
  groupBy: 'track' | 'artist' | 'album' | 'folder';
  seed: number;
  tab: MistakeTab;
  order: (typeof queueOrders)[number];
  limit: number;
  again: boolean;
  accept?: string[];
  keep?: string[];
  undo: boolean;
  csv?: string;
  labels?: string;
}

/** Adds `archetone mistakes`. */
export const mistakesVerb: AddVerb = (program, cli) => {
  program
    .command('mistakes')
    .description('Find labels that are probably wrong, missing labels, copies, outliers and damaged files.')
    .argument('<library>', "folder with the library's data")
    .option('--taxonomy <source>', TAXONOMY_HELP, 'folders')
    .option(
      '--folds <n>',
      'parts that are predicted by networks that did not learn from them',
      wholeNumber(2, 20),
      5,
    )
    .addOption(
      program
        .createOption('--group-by <what>', 'what is never cut apart; copies of one recording never are')
        .choices(['track', 'artist', 'album', 'folder'])
        .default('artist'),
    )
    .option('--seed <n>', 'seed of folds and networks', seedNumber, 1)
    .addOption(
      program.createOption('--tab <tab>', 'list to show').choices(mistakeTabs).default('likely-wrong'),
    )
    .addOption(
      program.createOption('--order <order>', 'of the list “unsure”').choices(queueOrders).default('margin'),
    )
    .option('--limit <n>', 'rows to show', wholeNumber(1, 1000), 50)
    .option('--again', 'look again, even when nothing changed since the last time', false)
    .option('--accept <ids...>', 'set the suggested labels of these rows')
    .option('--keep <ids...>', 'confirm these rows as they are: they are never listed again')
    .option('--undo', 'take the newest decision back', false)
    .option('--csv <file>', 'write all changes made so far to a new CSV file')
    .option('--labels <file>', 'write all labels in force to a new labels.csv')
    .addHelpText(
      'after',
      `
Examples:
  archetone mistakes ~/archetone-music
  archetone mistakes ~/archetone-music --taxonomy csv:labels.csv --tab label-missing --json
  archetone mistakes ~/archetone-music --accept likely-wrong:Hn3xW0rTq:oboe
  archetone mistakes ~/archetone-music --labels labels.csv`,
    )
    .action((folder: string, options: Options) =>
      cli.answer(() => {
        const source = parseTaxonomy(options.taxonomy);
        return cli.withLibrary(folder, async (session) => {
          const library = await session.library();
          const taxonomy = await taxonomyOf(session.client, library.id, source, {
            say: (message) => cli.say(message),
            signal: session.signal,
          });
          return mistakes(cli, session, library, taxonomy.id, options);
        });
      }),
    );
};

async function mistakes(
  cli: Cli,
  session: Session,
  { id: libraryId }: LibrarySummary,
  taxonomyId: string,
  options: Options,
): Promise<Answer> {
  const { client } = session;
  const of = { libraryId, taxonomyId };
  const decided: MistakeDecision[] = [];
  const decides = options.undo || (options.accept ?? options.keep) !== undefined;
  let report = await client.call('mistakes.report', of);
  // Decisions are about the list that was shown.
  if (!report || options.again || (!decides && changed(report, options))) {
    const { folds, groupBy, seed } = options;
    await session.run('mistakes', (engine) =>
      engine.call('mistakes.compute', { ...of, folds, groupBy, seed }),
    );
  }
  if (options.undo) {
    const undone = await client.call('mistakes.undo', of);
    if (!undone) throw new EngineError('not-found', 'There is no decision to take back.');
    cli.say(`Taken back: ${words(undone)}`);
  }
  for (const [decision, ids] of [
    ['accept', options.accept],
    ['keep', options.keep],
  ] as const)
    for (const mistakeId of ids ?? [])
      decided.push(await client.call('mistakes.decide', { ...of, mistakeId, decision }));
  const written: { path: string; rows: number }[] = [];
  for (const [what, path] of [
    ['changes', options.csv],
    ['labels', options.labels],
  ] as const)
    if (path !== undefined)
      written.push(await client.call('mistakes.export', { ...of, what, path: resolve(path) }));
  report = await client.call('mistakes.report', of);
  if (!report) throw new EngineError('internal', 'The report is gone.', 'Run it again.');
  const { tab, order, limit } = options;
  const list = await client.call('mistakes.list', { ...of, tab, order, limit });
  return {
    json: { report, tab, total: list.total, mistakes: list.mistakes, decided, written },
    text: [
      described(report),
      ...decided.map(words),
      ...written.map(({ path, rows }) => `Wrote ${counted(rows, 'row')} to ${path}.`),
      listed(list.mistakes, list.total, tab),
    ].join('\n\n'),
  };
}

function changed(report: MistakesReport, { folds, groupBy, seed }: Options): boolean {
  return report.stale || report.groupBy !== groupBy || report.seed !== seed || report.askedFolds !== folds;
}

function described(report: MistakesReport): string {
  const { task, folds, groupBy, tracks, classes, accuracy, leftOutClasses, problem, counts } = report;
  const left = leftOutClasses.map(({ name, tracks: n, reason }) => `${name} (${n}): ${reason}`);
  return pairs([
    [
      'judged',
      `${counted(tracks, 'track')}, ${task === 'single' ? counted(classes, 'class', 'classes') : counted(classes, 'label')}`,
    ],
    ['by', `${folds} folds; tracks of one ${groupBy} and copies stay together`],
    ['predicted as labelled', accuracy === null ? '–' : `${(100 * accuracy).toFixed(1)} %`],
    ...mistakeTabs.map((tab): [string, string] => [tab, `${counts[tab].left} of ${counts[tab].total} left`]),
    ...(problem ? [['not judged', `${problem.message} ${problem.hint}`] as [string, string]] : []),
    ...(left.length > 0 ? [['left out', someOf(left, '; ')] as [string, string]] : []),
  ]);
}

function listed(mistakes: readonly Mistake[], total: number, tab: MistakeTab): string {
  if (mistakes.length === 0) return `Nothing is left in “${tab}”.`;
  const rows = table<Mistake>(
    [
      { title: 'margin', value: ({ margin }) => (margin === null ? '' : margin.toFixed(2)), align: 'right' },
      { title: 'given', value: ({ given }) => given ?? '–' },
      { title: 'suggested', value: ({ suggested }) => suggested ?? '–' },
      {
        title: 'neighbours',
        value: ({ neighbours }) => neighbours.map((n) => (n.agrees ? '●' : '○')).join(''),
      },
      {
        title: 'path',
        value: ({ track, others }) => [track.path, ...others.map(({ path }) => path)].join(' = '),
      },
      { title: 'id', value: ({ id }) => id },
    ],
    mistakes,
  );
  return mistakes.length < total ? `${rows}\n… ${total - mistakes.length} more: --limit` : rows;
}

function words({ path, decision, before, after }: MistakeDecision): string {
  if (decision === 'keep') return `${path}: kept as ${before.join('; ') || 'unlabelled'}`;
  return `${path}: ${before.join('; ') || 'unlabelled'} → ${after.join('; ') || 'unlabelled'}`;
}
