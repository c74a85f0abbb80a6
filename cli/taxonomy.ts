import { resolve } from 'node:path';
import type { EngineClient } from '../engine/api/contract.ts';
import type { Taxonomy, TaxonomySource } from '../engine/api/domain.ts';
import { EngineError } from '../engine/api/errors.ts';

const FIELDS = ['genre', 'artist', 'album', 'year', 'key'] as const;
type Field = (typeof FIELDS)[number];

export const TAXONOMY_HELP = 'folders | tokens | tags[:genre|artist|album|year|key] | csv:<file>';

/**
 * Reads what `--taxonomy` was given.
 * @throws EngineError `bad-input`
 */
export function parseTaxonomy(text: string): TaxonomySource {
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

/** The taxonomy of that source: the one the library has, or a new one. */
export async function taxonomyOf(
  client: EngineClient,
  libraryId: string,
  source: TaxonomySource,
): Promise<Taxonomy> {
  const existing = await client.call('taxonomies.list', { libraryId });
  const same = existing.find(
    (taxonomy) => JSON.stringify(sorted(taxonomy.source)) === JSON.stringify(sorted(source)),
  );
  return same ?? client.call('taxonomies.create', { libraryId, source });
}

function sorted(source: TaxonomySource): [string, unknown][] {
  return Object.entries(source).sort(([a], [b]) => (a < b ? -1 : 1));
}
