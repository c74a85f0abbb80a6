import { relative, sep } from 'node:path';
import type { LibrarySummary } from '../../engine/api/libraries.ts';
import {
  levels,
  metrics,
  MOST_QUERIES,
  scalings,
  similarDefaults,
  type SimilarRequest,
  type SimilarSounds,
} from '../../engine/api/neighbours.ts';
import { counted } from '../../engine/counted.ts';
import { EngineError } from '../../engine/api/errors.ts';
import { quoted } from '../../engine/api/search-fields.ts';
import { list, number, wholeNumber } from '../options.ts';
import type { Session } from '../session.ts';
import { table } from '../text.ts';
import type { AddVerb } from '../verb.ts';
import { requireExisting } from './classify.ts';

interface Options extends Pick<SimilarRequest, 'level' | 'metric' | 'scaling'> {
  library: string;
  k: number;
  weights?: number[];
  sameTrack?: boolean;
  copies?: boolean;
}

const weight = number(0, 1000, false);

export const neighboursVerb: AddVerb = (program, cli) => {
  program
    .command('neighbours')
    .alias('similar')
    .description(
      'Find the tracks (or windows) of a library that are nearest to a file, or to several together.',
    )
    .argument('<files...>', 'audio files; they need not be in the library')
    .requiredOption('--library <dir>', "folder with the library's data")
    .option('-k <n>', 'how many', wholeNumber(1, 1000), 10)
    .option('--weights <list>', 'how much each of several files counts: 2,1,1', (text: string) =>
      list(text).map(weight),
    )
    .addOption(
      program.createOption('--level <level>', 'what to compare with').choices(levels).default('track'),
    )
    .addOption(
      program
        .createOption('--metric <metric>', 'distance between embeddings')
        .choices(metrics)
        .default(similarDefaults.metric),
    )
    .addOption(
      program
        .createOption(
          '--scaling <scaling>',
          'space as trained, or every dimension standardised on the library',
        )
        .choices(scalings)
        .default(similarDefaults.scaling),
    )
    .option('--same-track', 'also other windows of the files that were asked for')
    .option('--copies', 'also copies: of the files, and more than one of each other recording')
    .addHelpText(
      'after',
      `
Several files are mixed as the weighted mean of their vectors (of unit vectors unless --metric is euclidean).

Examples:
  archetone neighbours song.mp3 --library ~/archetone-music
  archetone neighbours kick.wav snare.wav --weights 2,1 --library ~/archetone-music
  archetone neighbours song.mp3 --library ~/archetone-music -k 3 --metric euclidean --scaling trained --json`,
    )
    .action((files: string[], { library: folder, weights = [], ...options }: Options) =>
      cli.answer(async () => {
        const paths = files.map(requireExisting);
        checkCounts(paths, weights);
        return cli.withLibrary(folder, async (session) => {
          const library = await session.library();
          const known = await Promise.all(paths.map((path) => trackOfFile(session, library, path)));
          const queries = paths.map((path, i) => {
            const trackId = known[i] ?? null;
            const of =
              trackId === null ? ({ kind: 'file', path } as const) : ({ kind: 'track', trackId } as const);
            return { of, weight: weights[i] ?? 1 };
          });
          const found = await session.client.call(
            'neighbours.similar',
            { libraryId: library.id, queries, ...options },
            { signal: session.signal },
          );
          return { json: report(paths, known, options, found), text: describe(found) };
        });
      }),
    );
};

/** @throws EngineError `bad-input` */
function checkCounts(paths: readonly string[], weights: readonly number[]): void {
  if (paths.length > MOST_QUERIES)
    throw new EngineError(
      'bad-input',
      `At most ${counted(MOST_QUERIES, 'file')} can be mixed.`,
      'Name fewer of them.',
    );
  if (weights.length > 0 && weights.length !== paths.length)
    throw new EngineError(
      'bad-input',
      `${counted(weights.length, 'weight')} for ${counted(paths.length, 'file')}.`,
      'Give one weight for every file, or none.',
    );
}

/** The track of a file that the library knows; null for any other file. */
async function trackOfFile(session: Session, library: LibrarySummary, path: string): Promise<string | null> {
  for (const folder of library.folders) {
    const inside = relative(folder, path);
    if (inside.startsWith('..')) continue;
    const wanted = inside.split(sep).join('/');
    const { tracks } = await session.client.call('tracks.list', {
      libraryId: library.id,
      filter: { state: 'ready' },
      search: `file=${quoted(wanted)}`,
      limit: 1000,
    });
    const track = tracks.find((row) => row.path === wanted);
    if (track) return track.id;
  }
  return null;
}

function report(
  paths: readonly string[],
  known: readonly (string | null)[],
  options: Omit<Options, 'library' | 'weights'>,
  { sounds, compared, copies }: SimilarSounds,
): unknown {
  return {
    files: paths.map((path, i) => ({ path, inLibrary: known[i] !== null })),
    ...options,
    compared,
    copiesLeftOut: copies,
    neighbours: sounds.map(({ track: { id, title, path }, ...sound }) => ({
      trackId: id,
      title,
      path,
      ...sound,
    })),
  };
}

function describe({ sounds }: SimilarSounds): string {
  return table<SimilarSounds['sounds'][number]>(
    [
      { title: 'distance', value: (n) => n.distance.toFixed(4), align: 'right' },
      { title: 'cosine', value: (n) => n.similarity.toFixed(3), align: 'right' },
      { title: 'from', value: (n) => `${n.startSeconds.toFixed(1)} s`, align: 'right' },
      { title: 'track', value: (n) => n.track.title },
      { title: 'path', value: (n) => n.track.path },
    ],
    sounds,
  );
}
