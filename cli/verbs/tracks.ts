import { trackQuerySchema } from '../../engine/api/tracks.ts';
import type { TrackRow } from '../../engine/api/tracks.ts';
import { searchFieldNames, searchFields } from '../../engine/api/search-fields.ts';
import { parseSearch } from '../../engine/api/search-query.ts';
import { foundTracks, scopeOf } from '../found-tracks.ts';
import { wholeNumber } from '../options.ts';
import { percent, table } from '../text.ts';
import type { AddVerb } from '../verb.ts';

const { sort: sorts } = trackQuerySchema.shape;
type Sort = ReturnType<typeof sorts.parse>;

interface Options {
  library: string;
  taxonomy?: string;
  experiment?: string;
  sort: Sort;
  descending?: boolean;
  limit: number;
}

export const tracksVerb: AddVerb = (program, cli) => {
  program
    .command('tracks')
    .description('List the tracks of a library that a search finds; without one, all.')
    .argument('[search...]', 'words, "phrases" and field:value; “-” before one turns it round')
    .requiredOption('--library <dir>', "folder with the library's data")
    .option(
      '--taxonomy <id>',
      "id or name of a taxonomy; by default the experiment's, or the library's first",
    )
    .option('--experiment <id>', 'experiment, or latest; by default the latest, where there is one')
    .addOption(program.createOption('--sort <by>', 'order').choices(sorts.unwrap().options).default('path'))
    .option('--descending', 'the other way round')
    .option('--limit <n>', 'how many at most', wholeNumber(1, 1_000_000), 1_000_000)
    .addHelpText(
      'after',
      `
Fields:
${searchFieldNames.map((name) => `  ${name.padEnd(8)} ${searchFields[name].about}`).join('\n')}

Examples:
  archetone tracks --library ~/archetone-music -- label:bd -loop 'p<0.5' 'len<1'
  archetone tracks --library ~/archetone-music 'artist:"björk"' --json
  archetone tracks --library ~/archetone-music is:wrong --sort probability`,
    )
    .action((words: string[], options: Options) =>
      cli.answer(async () => {
        const search = words.join(' ');
        // Told before a library is opened.
        parseSearch(search);
        return cli.withLibrary(options.library, async (session) => {
          const library = await session.library();
          const scope = await scopeOf(session, library.id, options);
          const { total, tracks } = await foundTracks(
            session,
            {
              ...{ libraryId: library.id, ...scope, search },
              ...{ sort: options.sort, descending: options.descending ?? false },
            },
            options.limit,
          );
          return { json: { search, ...scope, total, tracks }, text: describe(tracks, total) };
        });
      }),
    );
};

function describe(tracks: readonly TrackRow[], total: number): string {
  const rows = table<TrackRow>(
    [
      { title: 'label', value: ({ labels }) => labels.join(', ') },
      { title: 'predicted', value: ({ prediction }) => prediction?.class ?? '' },
      {
        title: 'p',
        value: ({ prediction }) => (prediction ? percent(prediction.probability) : ''),
        align: 'right',
      },
      {
        title: 'length',
        value: ({ durationSeconds }) => (durationSeconds === null ? '' : `${durationSeconds.toFixed(2)} s`),
        align: 'right',
      },
      { title: 'path', value: ({ path }) => path },
    ],
    tracks,
  );
  const count = `${total} ${total === 1 ? 'track' : 'tracks'}`;
  return `${rows}\n\n${tracks.length < total ? `${tracks.length} of ${count}` : count}`;
}
