import { resolve } from 'node:path';
import type { JobResult } from '../../engine/api/jobs.ts';
import type { LibrarySummary } from '../../engine/api/libraries.ts';
import type { TrackRow } from '../../engine/api/tracks.ts';
import { EngineError } from '../../engine/api/errors.ts';
import { counted } from '../../engine/counted.ts';
import { exitCodes } from '../exit-codes.ts';
import { windows } from '../options.ts';
import { addQueueOptions, lease, queueSettings, type QueueOptions } from '../queue-options.ts';
import type { Session } from '../session.ts';
import { duration, pairs, table } from '../text.ts';
import type { AddVerb } from '../verb.ts';

interface Options extends QueueOptions {
  library: string;
  windows?: 'all' | number;
  pack?: string;
  rescan?: boolean;
}

type Imported = Extract<JobResult, { kind: 'import' }>;

/** Failures are listed in pages of this size. */
const PAGE = 1000;
const SHOWN = 20;

export const importVerb: AddVerb = (program, cli) => {
  const command = program
    .command('import')
    .description(
      'Read a folder of music into a library: tags, windows, embeddings. Unchanged files are skipped.',
    )
    .argument('<folder>', 'folder with audio files; it is only read')
    .requiredOption('--library <dir>', "folder for the library's data; created when needed")
    .option(
      '--windows <all|N>',
      'windows per track to embed: all, or N evenly spaced (new libraries: all)',
      windows,
    )
    .option('--rescan', 'read every file again, also those whose size and times are as they were')
    .option('--pack <id>', 'pack that makes the embeddings (new libraries: compact)')
    .option('--queue <address>', 'leave the computing to the workers of this queue: nats://host:4222')
    .option('--lease <seconds>', 'after so long without a sign of life another worker gets a track', lease);
  addQueueOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  archetone import ~/Music --library ~/archetone-music
  archetone import ~/Music --library ~/archetone-music --windows 8 --json
  archetone import ~/Music --library ~/archetone-music --queue nats://studio:4222`,
    )
    .action((folder: string, options: Options) =>
      cli.answer(() =>
        cli.withSession(
          options.library,
          async (session) => {
            const library = await openLibrary(session, folder, options);
            const { id: libraryId } = library;
            const result = await session.run('import', (client) =>
              client.call('import.start', { libraryId, everything: options.rescan ?? false }),
            );
            const summary = await session.client.call('libraries.get', { libraryId });
            const failures = await allTracks(session, libraryId, { state: 'failed' });
            const damaged = await allTracks(session, libraryId, { noted: true });
            const nothing = summary.tracks.ready === 0;
            return {
              json: {
                library: summary,
                import: result,
                failures: failures.map(({ path, problem }) => ({ path, problem })),
                damaged: damaged.map(({ path, note }) => ({ path, note })),
              },
              text: [describe(summary, result), listFailures(failures), listDamaged(damaged)]
                .filter((part) => part !== '')
                .join('\n\n'),
              exitCode: nothing ? exitCodes.audio : exitCodes.ok,
            };
          },
          options.queue === undefined ? {} : { queue: queueSettings(options.queue, options) },
        ),
      ),
    );
};

/** A data folder of the command line holds one library: another music folder is refused. */
async function openLibrary(session: Session, folder: string, options: Options): Promise<LibrarySummary> {
  const wanted = resolve(folder);
  const known = await session.client.call('libraries.list', {});
  const opened = await session.client.call('libraries.open', {
    folder: wanted,
    ...(options.windows === undefined ? {} : { windows: options.windows }),
    ...(options.pack === undefined ? {} : { packId: options.pack }),
  });
  const other = known.find((library) => library.id !== opened.id);
  if (!other) return opened;
  if (!known.some((library) => library.id === opened.id))
    await session.client.call('libraries.remove', { libraryId: opened.id });
  throw new EngineError(
    'bad-input',
    `${options.library} already holds the library of ${other.folders.join(', ')}.`,
    'Name another folder with --library.',
  );
}

async function allTracks(
  session: Session,
  libraryId: string,
  filter: { state: 'failed' } | { noted: true },
): Promise<TrackRow[]> {
  const found: TrackRow[] = [];
  for (;;) {
    const { tracks, total } = await session.client.call('tracks.list', {
      libraryId,
      filter,
      offset: found.length,
      limit: PAGE,
    });
    found.push(...tracks);
    if (tracks.length === 0 || found.length >= total) return found;
  }
}

function describe({ tracks, windowCount, durationSeconds }: LibrarySummary, result: Imported): string {
  return pairs([
    ['imported', `${counted(result.imported, 'file')} in ${duration(result.seconds)}`],
    ['unchanged', String(result.unchanged)],
    ['failed', String(result.failed)],
    ['missing', String(result.missing)],
    ...(result.hidden && result.hidden.count > 0 ? [['hidden', hiddenText(result.hidden)] as const] : []),
    ...(result.noted > 0 ? [['read with damage', String(result.noted)] as const] : []),
    [
      'library',
      `${counted(tracks.ready, 'track')} ready, ${counted(windowCount, 'window')}, ${duration(durationSeconds)} of audio`,
    ],
  ]);
}

function listFailures(failures: readonly TrackRow[]): string {
  return list(failures, 'problem', (row) => row.problem?.message ?? '');
}

function listDamaged(damaged: readonly TrackRow[]): string {
  return list(damaged, 'damaged, but read', (row) => row.note ?? '');
}

function list(rows: readonly TrackRow[], title: string, value: (row: TrackRow) => string): string {
  if (rows.length === 0) return '';
  const shown = table(
    [
      { title: 'file', value: (row: TrackRow) => row.path },
      { title, value },
    ],
    rows.slice(0, SHOWN),
  );
  return rows.length > SHOWN ? `${shown}\n… and ${rows.length - SHOWN} more (see --json)` : shown;
}

function hiddenText({ count, examples }: NonNullable<Imported['hidden']>): string {
  const shown = examples.slice(0, 3).join(', ');
  return `${count} left out, their names begin with a dot and a letter: ${shown}${count > 3 ? ', …' : ''}`;
}
