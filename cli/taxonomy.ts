import { resolve } from 'node:path';
import type { EngineClient } from '../engine/api/contract.ts';
import type { Taxonomy, ReadSource } from '../engine/api/taxonomies.ts';
import { EngineError } from '../engine/api/errors.ts';

const FIELDS = ['genre', 'artist', 'album', 'year', 'key'] as const;
type Field = (typeof FIELDS)[number];

export const TAXONOMY_HELP = 'folders | tokens | tags[:genre|artist|album|year|key] | csv:<file>';

/**
 * Reads what `--taxonomy` was given.
 * @throws EngineError `bad-input`
 */
export function parseTaxonomy(text: string): ReadSource {
  if (text === 'folders' || text === 'tokens') return { kind: text };
  if (text === 'tags') return { kind: 'tags', field: 'genre' };
  if (text.startsWith('tags:')) {
    const field = text.slice('tags:'.length);
    if (isField(field)) return { kind: 'tags', field };
  }
  if (text.startsWith('csv:') && text.length > 'csv:'.length)
    return { kind: 'csv', path: resolve(text.slice('csv:'.length)) };
  throw new EngineError('bad-input', `“${text}” is no taxonomy.`, `Use ${TAXONOMY_HELP}.`);
}

function isField(text: string): text is Field {
  return (FIELDS as readonly string[]).includes(text);
}

/** Who hears about rows that name no track, and may break off. */
interface Listener {
  say: (message: string) => void;
  signal: AbortSignal;
}

/** The taxonomy of that source, read again: the one the library has, or a new one. */
export async function taxonomyOf(
  client: EngineClient,
  libraryId: string,
  source: ReadSource,
  { say, signal }: Listener,
): Promise<Taxonomy> {
  const existing = await client.call('taxonomies.list', { libraryId });
  const same = existing.find(
    (taxonomy) => JSON.stringify(sorted(taxonomy.source)) === JSON.stringify(sorted(source)),
  );
  const taxonomy = same
    ? await readAgain(client, libraryId, same, { say, signal })
    : await client.call('taxonomies.create', { libraryId, source }, { signal });
  for (const { message } of taxonomy.unmatchedRows) say(`Note: ${message}`);
  return taxonomy;
}

/** A label file may have been mended since; one that is gone counts as it was read last. */
async function readAgain(
  client: EngineClient,
  libraryId: string,
  taxonomy: Taxonomy,
  { say, signal }: Listener,
): Promise<Taxonomy> {
  if (taxonomy.source.kind !== 'csv') return taxonomy;
  try {
    return await client.call('taxonomies.refresh', { libraryId, taxonomyId: taxonomy.id }, { signal });
  } catch (thrown) {
    if (!(thrown instanceof EngineError) || thrown.code !== 'unreadable') throw thrown;
    say(`Note: ${thrown.message} Its labels are used as they were read last.`);
    return taxonomy;
  }
}

function sorted(source: ReadSource | Taxonomy['source']): [string, unknown][] {
  return Object.entries(source).sort(([a], [b]) => (a < b ? -1 : 1));
}
