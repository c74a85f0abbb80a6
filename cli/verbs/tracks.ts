import { EngineError } from '../../engine/api/errors.ts';
import { tagName } from '../../engine/api/tags.ts';
import { trackQuerySchema } from '../../engine/api/tracks.ts';
import type { TrackRow } from '../../engine/api/tracks.ts';
import { searchFieldNames, searchFields } from '../../engine/api/search-fields.ts';
import { parseSearch } from '../../engine/api/search-query.ts';
import { counted } from '../../engine/counted.ts';
import { foundTracks, scopeOf } from '../found-tracks.ts';
import { wholeNumber } from '../options.ts';
import { percent, table } from '../text.ts';
import type { Session } from '../session.ts';
import type { AddVerb } from '../verb.ts';

const { sort: sorts } = trackQuerySchema.shape;
type Sort = ReturnType<typeof sorts.parse>;

interface Options {
  library: string;
  taxonomy?: string;
  experiment?: string;
  sort: Sort;
  tag: string[];
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
    .option(
      '--tag <name>',
      'also the mean of a tag that is kept (“tags --library”): its name, or pack/name; may be given again; “--sort tag” sorts by the first',
      (name: string, names: string[]) => [...names, name],
      [],
    )
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
  archetone tracks --library ~/archetone-music is:wrong --sort probability
  archetone tracks --library ~/archetone-music 'tag:guitar>0.6' --tag guitar --tag drums --sort tag --descending`,
    )
    .action((words: string[], options: Options) =>
      cli.answer(async () => {
        const search = words.join(' ');
        // Told before a library is opened.
        parseSearch(search);
        if (options.sort === 'tag' && options.tag.length === 0)
          throw new EngineError(
            'bad-input',
            'No tag to sort by was named.',
            'Name one: --tag guitar --sort tag.',
          );
        return cli.withLibrary(options.library, async (session) => {
          const library = await session.library();
          const scope = await scopeOf(session, library.id, options);
          await requireKept(session, library.id, options.tag);
          const { total, tracks } = await foundTracks(
            session,
            {
              ...{ libraryId: library.id, ...scope, search },
              ...{ sort: options.sort, descending: options.descending ?? false },
              ...{ tags: options.tag, sortTag: options.tag[0] ?? null },
            },
            options.limit,
          );
          return { json: { search, ...scope, total, tracks }, text: describe(tracks, total, options.tag) };
        });
      }),
    );
};

/** @throws EngineError `not-found` for a tag that is not kept: a column of nothing would say nothing. */
async function requireKept(session: Session, libraryId: string, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const kept = await session.client.call('tags.kept', { libraryId });
  const known = kept.flatMap((tagger) => tagger.classes.map((tag) => ({ tag, name: tagName(tagger, tag) })));
  for (const asked of names) {
    if (known.some(({ tag, name }) => asked === tag || asked === name)) continue;
    const near = known.filter(({ tag }) => tag.toLowerCase().includes(asked.toLowerCase()));
    throw new EngineError(
      'not-found',
      `No tag “${asked}” is kept of this library.`,
      known.length === 0
        ? 'Have its tracks heard first: archetone tags --library … --pack ….'
        : `There are for example ${(near.length > 0 ? near : known)
            .slice(0, 8)
            .map(({ tag }) => tag)
            .join(', ')}.`,
    );
  }
}

function describe(tracks: readonly TrackRow[], total: number, tags: readonly string[]): string {
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
      ...tags.map((tag) => ({
        title: tag,
        value: ({ tags: means }: TrackRow) => means[tag]?.toFixed(2) ?? '',
        align: 'right' as const,
      })),
      { title: 'path', value: ({ path }) => path },
    ],
    tracks,
  );
  const count = counted(total, 'track');
  return `${rows}\n\n${tracks.length < total ? `${tracks.length} of ${count}` : count}`;
}
