import { EngineError } from '../api/errors.ts';
import type { Library } from '../library/library.ts';
import type { GroupFacts } from '../../models/evaluation/splits/groups.ts';

/** @throws EngineError `not-found` */
export function nameOfTaxonomy(library: Library, taxonomyId: string): string {
  const row = library.db
    .prepare<{ name: string }>('SELECT name FROM taxonomies WHERE id = ?')
    .get([taxonomyId]);
  if (!row)
    throw new EngineError('not-found', `There is no taxonomy ${taxonomyId}.`, 'Choose or create a taxonomy.');
  return row.name;
}

/** Facts about every track that decide how tracks may be split. */
export function groupFacts(library: Library): GroupFacts[] {
  return library.db
    .prepare<GroupFacts>(
      `SELECT id, path, artist, album, content_hash AS contentHash FROM tracks WHERE kind = 'file'`,
    )
    .all();
}
