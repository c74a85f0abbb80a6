import { trackQuerySchema } from '../../engine/api/tracks.ts';
import type { TrackRow } from '../../engine/api/tracks.ts';
import { searchFieldNames, searchFields } from '../../engine/api/search-fields.ts';
import { parseSearch } from '../../engine/api/search-query.ts';
import { EngineError } from '../../engine/api/errors.ts';
import { wholeNumber } from '../options.ts';
import type { Session } from '../session.ts';
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

/** Most tracks that `tracks.list` answers at once. */
const PAGE = 1000;

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
          const tracks: TrackRow[] = [];
          let total = Infinity;
          while (tracks.length < Math.min(total, options.limit)) {
            const page = await session.client.call(
              'tracks.list',
              {
                ...{ libraryId: library.id, ...scope, search },
                ...{ sort: options.sort, descending: options.descending ?? false },
                ...{ offset: tracks.length, limit: Math.min(PAGE, options.limit - tracks.length) },
              },
              { signal: session.signal },
            );
            total = page.total;
            tracks.push(...page.tracks);
            if (page.tracks.length === 0) break;
          }
          return { json: { search, ...scope, total, tracks }, text: describe(tracks, total) };
        });
      }),
    );
};

/** What labels and predictions are meant: what was named, or what the window would show first. */
async function scopeOf(
  session: Session,
  libraryId: string,
  { taxonomy, experiment }: Options,
): Promise<{ taxonomyId: string | null; experimentId: string | null }> {
  const known = await session.client.call('experiments.list', { libraryId });
  const chosen = experiment === undefined ? known[0] : await session.experiment(libraryId, experiment);
  const taxonomies = await session.client.call('taxonomies.list', { libraryId });
  const named =
    taxonomy === undefined
      ? (taxonomies.find(({ id }) => id === chosen?.taxonomyId) ?? taxonomies[0])
      : taxonomies.find(({ id, name }) => id === taxonomy || name === taxonomy);
  if (taxonomy !== undefined && !named)
    throw new EngineError(
      'not-found',
      `There is no taxonomy “${taxonomy}”.`,
      `There are ${taxonomies.map(({ name }) => name).join(', ') || 'none'}.`,
    );
  return { taxonomyId: named?.id ?? null, experimentId: chosen?.id ?? null };
}

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
