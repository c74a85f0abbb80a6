import type { Taxonomy } from '../../engine/api/taxonomies.ts';
import { EngineError } from '../../engine/api/errors.ts';
import { parseTaxonomy, TAXONOMY_HELP, taxonomyOf } from '../taxonomy.ts';
import { pairs, table } from '../text.ts';
import type { AddVerb, Answer } from '../verb.ts';

interface Options {
  library: string;
}

export const taxonomiesVerb: AddVerb = (program, cli) => {
  const group = program
    .command('taxonomies')
    .description('List, add and remove taxonomies: where the labels of a library come from.')
    .addHelpText(
      'after',
      `
Examples:
  archetone taxonomies list --library ~/archetone-music
  archetone taxonomies add csv:labels.csv --library ~/archetone-music
  archetone taxonomies remove csv:labels.csv --library ~/archetone-music`,
    );
  const library = ['--library <dir>', "folder with the library's data"] as const;

  group
    .command('list')
    .description('Taxonomies with their labels, and rows of label files that name no track.')
    .requiredOption(...library)
    .action((options: Options) =>
      cli.answer(() =>
        cli.withLibrary(options.library, async (session) => {
          const { id: libraryId } = await session.library();
          const taxonomies = await session.client.call('taxonomies.list', { libraryId });
          return { json: { taxonomies }, text: listed(taxonomies) };
        }),
      ),
    );

  group
    .command('add')
    .description(
      'Label the tracks of a library from a source; a label file that was added before is read again.',
    )
    .argument('<source>', TAXONOMY_HELP)
    .requiredOption(...library)
    .action((source: string, options: Options) =>
      cli.answer(() => {
        const wanted = parseTaxonomy(source);
        return cli.withLibrary(options.library, async (session) => {
          const { id: libraryId } = await session.library();
          return described(
            await taxonomyOf(session.client, libraryId, wanted, {
              say: (message) => cli.say(message),
              signal: session.signal,
            }),
          );
        });
      }),
    );

  group
    .command('remove')
    .description('Remove a taxonomy with its labels; experiments trained on it stay.')
    .argument('<taxonomy>', 'its source as it was added, its name or its id')
    .requiredOption(...library)
    .action((name: string, options: Options) =>
      cli.answer(() =>
        cli.withLibrary(options.library, async (session) => {
          const { id: libraryId } = await session.library();
          const taxonomy = named(await session.client.call('taxonomies.list', { libraryId }), name);
          await session.client.call('taxonomies.remove', { libraryId, taxonomyId: taxonomy.id });
          return { json: { removed: taxonomy.id }, text: `Removed “${taxonomy.name}”.` };
        }),
      ),
    );
};

/** @throws EngineError `not-found`, `bad-input` where several are called so */
function named(taxonomies: readonly Taxonomy[], name: string): Taxonomy {
  const [found, other] = taxonomies.filter(
    ({ id, name: own, source }) => id === name || own === name || sourceText(source) === sourceOrNull(name),
  );
  if (!found)
    throw new EngineError(
      'not-found',
      `There is no taxonomy “${name}”.`,
      `There are: ${taxonomies.map(({ name: own }) => own).join(', ') || 'none'}. See: archetone taxonomies list`,
    );
  if (other)
    throw new EngineError('bad-input', `Several taxonomies are called “${name}”.`, 'Name it by its id.');
  return found;
}

function sourceOrNull(text: string): string | null {
  try {
    return sourceText(parseTaxonomy(text));
  } catch {
    return null;
  }
}

/** As `--taxonomy` takes it. */
function sourceText(source: Taxonomy['source']): string {
  if (source.kind === 'tags') return `tags:${source.field}`;
  if (source.kind === 'heard')
    return `heard:${[source.packId, source.headId].filter((id) => id !== null).join('#')}`;
  return source.kind === 'csv' ? `csv:${source.path}` : source.kind;
}

function described(taxonomy: Taxonomy): Answer {
  const text = pairs([
    ['taxonomy', taxonomy.name],
    ['source', sourceText(taxonomy.source)],
    ['labels', String(taxonomy.labels.length)],
    ['tracks', String(taxonomy.labelledTracks)],
    ['rows without a track', String(taxonomy.unmatched)],
    ['id', taxonomy.id],
  ]);
  return { json: { taxonomy }, text };
}

function listed(taxonomies: readonly Taxonomy[]): string {
  if (taxonomies.length === 0) return 'The library has no taxonomy. Add one: archetone taxonomies add --help';
  const overview = table<Taxonomy>(
    [
      { title: 'taxonomy', value: ({ name }) => name },
      { title: 'source', value: ({ source }) => sourceText(source) },
      { title: 'labels', value: ({ labels }) => String(labels.length), align: 'right' },
      { title: 'tracks', value: ({ labelledTracks }) => String(labelledTracks), align: 'right' },
      { title: 'rows without a track', value: ({ unmatched }) => String(unmatched), align: 'right' },
    ],
    taxonomies,
  );
  const notes = taxonomies.flatMap(({ name, unmatchedRows }) =>
    unmatchedRows.map(({ message }) => `${name}: ${message}`),
  );
  return [overview, ...notes].join('\n');
}
