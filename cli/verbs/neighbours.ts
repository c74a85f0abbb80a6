import { relative, sep } from 'node:path';
import type { LibrarySummary } from '../../engine/api/libraries.ts';
import type { WindowRef } from '../../engine/api/neighbours.ts';
import { quoted } from '../../engine/api/search-fields.ts';
import { wholeNumber } from '../options.ts';
import type { Session } from '../session.ts';
import { table } from '../text.ts';
import type { AddVerb } from '../verb.ts';
import { requireExisting } from './classify.ts';

interface Options {
  library: string;
  k: number;
  level: 'track' | 'window';
  metric: 'euclidean' | 'cosine';
}

export const neighboursVerb: AddVerb = (program, cli) => {
  program
    .command('neighbours')
    .description('Find the tracks (or windows) of a library that are nearest to a file.')
    .argument('<file>', 'audio file; it need not be in the library')
    .requiredOption('--library <dir>', "folder with the library's data")
    .option('-k <n>', 'how many', wholeNumber(1, 1000), 10)
    .addOption(
      program
        .createOption('--level <level>', 'what to compare with')
        .choices(['track', 'window'])
        .default('track'),
    )
    .addOption(
      program
        .createOption('--metric <metric>', 'distance between embeddings')
        .choices(['euclidean', 'cosine'])
        .default('euclidean'),
    )
    .addHelpText(
      'after',
      `
Examples:
  archetone neighbours song.mp3 --library ~/archetone-music
  archetone neighbours song.mp3 --library ~/archetone-music -k 3 --metric cosine --json`,
    )
    .action((file: string, { library: folder, ...options }: Options) =>
      cli.answer(async () => {
        const path = requireExisting(file);
        return cli.withLibrary(folder, async (session) => {
          const library = await session.library();
          const trackId = await trackOfFile(session, library, path);
          const neighbours =
            trackId === null
              ? await session.client.call(
                  'neighbours.file',
                  { libraryId: library.id, path, ...options },
                  { signal: session.signal },
                )
              : await session.client.call('neighbours.query', {
                  libraryId: library.id,
                  target: { kind: 'track', trackId },
                  ...options,
                });
          return {
            json: { file: path, inLibrary: trackId !== null, ...options, neighbours },
            text: describe(neighbours),
          };
        });
      }),
    );
};

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

function describe(neighbours: readonly WindowRef[]): string {
  return table<WindowRef>(
    [
      { title: 'distance', value: (n) => n.distance.toFixed(4), align: 'right' },
      { title: 'from', value: (n) => `${n.startSeconds.toFixed(1)} s`, align: 'right' },
      { title: 'track', value: (n) => n.title },
      { title: 'path', value: (n) => n.path },
    ],
    neighbours,
  );
}
