import { basename } from 'node:path';
import type { Taxonomy, TaxonomySource } from '../api/domain.ts';
import { EngineError } from '../api/errors.ts';
import type { Library } from '../library/library.ts';
import { newId } from '../identifier.ts';
import { readLabelFile } from './csv.ts';
import type { CsvRow } from './csv.ts';
import { labelsFromFolders, labelsFromRows, labelsFromTags, labelsFromTokens } from './derive.ts';
import type { LabelledTrack, Labelsets } from './derive.ts';
import { writeLabels } from './labelsets.ts';

interface TaxonomyRow {
  id: string;
  name: string;
  source: string;
  unmatched: number;
}

/** Oldest first. */
export function listTaxonomies(library: Library): Taxonomy[] {
  return library.db
    .prepare<TaxonomyRow>('SELECT id, name, source, unmatched FROM taxonomies ORDER BY created_at, id')
    .all()
    .map((row) => describe(library, row));
}

/** @throws EngineError `not-found` */
export function getTaxonomy(library: Library, taxonomyId: string): Taxonomy {
  return describe(library, taxonomyRow(library, taxonomyId));
}

/**
 * Makes a taxonomy and labels every track of the library from its source.
 * @throws EngineError `unreadable`, `bad-input` (CSV)
 */
export function createTaxonomy(library: Library, source: TaxonomySource, name?: string): Taxonomy {
  const id = newId();
  // Kept, not read again: the file may be gone or changed at the next import.
  const rows = source.kind === 'csv' ? readLabelFile(source.path) : [];
  library.db.transaction(() => {
    library.db
      .prepare('INSERT INTO taxonomies (id, name, source, created_at) VALUES (?, ?, ?, ?)')
      .run([id, name ?? defaultName(source), JSON.stringify(source), new Date().toISOString()]);
    const insert = library.db.prepare(
      'INSERT INTO taxonomy_rows (taxonomy_id, position, path, labels) VALUES (?, ?, ?, ?)',
    );
    rows.forEach((row, position) => insert.run([id, position, row.path, JSON.stringify(row.labels)]));
    refresh(library, id, source, labelledTracks(library));
  })();
  return getTaxonomy(library, id);
}

/** @throws EngineError `not-found` */
export function removeTaxonomy(library: Library, taxonomyId: string): void {
  taxonomyRow(library, taxonomyId);
  library.db.prepare('DELETE FROM taxonomies WHERE id = ?').run([taxonomyId]);
}

/** Labels tracks again after an import; what was set by hand stays. */
export function refreshTaxonomies(library: Library): void {
  const taxonomies = library.db
    .prepare<TaxonomyRow>('SELECT id, name, source, unmatched FROM taxonomies')
    .all();
  if (taxonomies.length === 0) return;
  const tracks = labelledTracks(library);
  library.db.transaction(() => {
    for (const row of taxonomies) refresh(library, row.id, sourceOf(row), tracks);
  })();
}

function refresh(
  library: Library,
  id: string,
  source: TaxonomySource,
  tracks: readonly LabelledTrack[],
): void {
  const { labels, unmatched } = derive(library, id, source, tracks);
  writeLabels(library.db, id, labels);
  library.db.prepare('UPDATE taxonomies SET unmatched = ? WHERE id = ?').run([unmatched, id]);
}

function derive(
  library: Library,
  id: string,
  source: TaxonomySource,
  tracks: readonly LabelledTrack[],
): { labels: Labelsets; unmatched: number } {
  switch (source.kind) {
    case 'folders':
      return { labels: labelsFromFolders(tracks), unmatched: 0 };
    case 'tokens':
      return { labels: labelsFromTokens(tracks), unmatched: 0 };
    case 'tags':
      return { labels: labelsFromTags(tracks, source.field), unmatched: 0 };
    case 'hand':
      return { labels: new Map(), unmatched: 0 };
    case 'csv':
      return labelsFromRows(tracks, storedRows(library, id), library.folder());
  }
}

function storedRows(library: Library, id: string): CsvRow[] {
  return library.db
    .prepare<{ path: string; labels: string }>(
      'SELECT path, labels FROM taxonomy_rows WHERE taxonomy_id = ? ORDER BY position',
    )
    .all([id])
    .map((row) => ({ path: row.path, labels: JSON.parse(row.labels) as string[] }));
}

function labelledTracks(library: Library): LabelledTrack[] {
  return library.db
    .prepare<Omit<LabelledTrack, 'genre'> & { genre: string }>(
      `SELECT id, path, genre, artist, album, year, musical_key AS key FROM tracks WHERE kind = 'file' ORDER BY path`,
    )
    .all()
    .map((row) => ({ ...row, genre: JSON.parse(row.genre) as string[] }));
}

function taxonomyRow(library: Library, id: string): TaxonomyRow {
  const row = library.db
    .prepare<TaxonomyRow>('SELECT id, name, source, unmatched FROM taxonomies WHERE id = ?')
    .get([id]);
  if (row) return row;
  throw new EngineError('not-found', `There is no taxonomy ${id}.`, 'It may have been removed.');
}

function sourceOf(row: TaxonomyRow): TaxonomySource {
  // Written by `createTaxonomy` from checked input.
  return JSON.parse(row.source) as TaxonomySource;
}

function describe(library: Library, row: TaxonomyRow): Taxonomy {
  const labels = library.db
    .prepare<{ name: string; tracks: number }>(
      `SELECT label AS name, COUNT(*) AS tracks FROM track_labels WHERE taxonomy_id = ?
        GROUP BY label ORDER BY tracks DESC, label`,
    )
    .all([row.id]);
  const counts = library.db
    .prepare<{ tracks: number; multilabel: number }>(
      `SELECT COUNT(DISTINCT track_id) AS tracks, COALESCE(MAX(position), 0) > 0 AS multilabel
         FROM track_labels WHERE taxonomy_id = ?`,
    )
    .get([row.id]);
  return {
    id: row.id,
    name: row.name,
    source: sourceOf(row),
    labels: labels.map(({ name, tracks }) => ({ name, tracks })),
    multilabel: counts?.multilabel === 1,
    labelledTracks: counts?.tracks ?? 0,
    unmatched: row.unmatched,
  };
}

function defaultName(source: TaxonomySource): string {
  switch (source.kind) {
    case 'folders':
      return 'Folders';
    case 'tokens':
      return 'File names';
    case 'tags':
      return { genre: 'Genre', artist: 'Artist', album: 'Album', year: 'Year', key: 'Key' }[source.field];
    case 'csv':
      return basename(source.path);
    case 'hand':
      return 'By hand';
  }
}
