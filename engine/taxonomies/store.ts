import { basename } from 'node:path';
import type { Taxonomy, TaxonomySource, UnmatchedRows } from '../api/domain.ts';
import { EngineError } from '../api/errors.ts';
import type { EngineContext } from '../context.ts';
import type { Library } from '../library/library.ts';
import { newId } from '../identifier.ts';
import { labelsFromFolders, labelsFromTags, labelsFromTokens } from './derive.ts';
import type { LabelledTrack, Labelsets } from './derive.ts';
import type { LabelRow } from './label-rows.ts';
import { LabelTableBuilder, type LabelTable } from './label-table.ts';
import { readLabelTable } from './label-thread.ts';
import { nothingMatched } from './unmatched.ts';
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
    .prepare<TaxonomyRow>(`SELECT ${COLUMNS} FROM taxonomies ORDER BY created_at, id`)
    .all()
    .map((row) => describe(library, row));
}

/** @throws EngineError `not-found` */
export function getTaxonomy(library: Library, taxonomyId: string): Taxonomy {
  return describe(library, taxonomyRow(library, taxonomyId));
}

/**
 * Makes a taxonomy and labels every track of the library from its source.
 * @throws EngineError `unreadable`, `bad-input` for a label file that names no track; the signal's reason
 */
export async function createTaxonomy(
  context: EngineContext,
  library: Library,
  source: TaxonomySource,
  { name, signal }: { name?: string | undefined; signal: AbortSignal },
): Promise<Taxonomy> {
  const id = newId();
  const labels = await deriveLabels(context, library, source, signal);
  library.db.transaction(() => {
    library.db
      .prepare('INSERT INTO taxonomies (id, name, source, created_at) VALUES (?, ?, ?, ?)')
      .run([id, name ?? defaultName(source), JSON.stringify(source), new Date().toISOString()]);
    store(library, id, source, labels);
  })();
  return getTaxonomy(library, id);
}

/**
 * Labels tracks from the source again: a label file is read again. What was set by hand stays.
 * @throws EngineError as {@link createTaxonomy}, and `not-found`; the labels then stay as they were
 */
export async function refreshTaxonomy(
  context: EngineContext,
  library: Library,
  taxonomyId: string,
  signal: AbortSignal,
): Promise<Taxonomy> {
  const { source } = storedSource(taxonomyRow(library, taxonomyId));
  const labels = await deriveLabels(context, library, source, signal);
  // It may have been removed while its file was read.
  taxonomyRow(library, taxonomyId);
  library.db.transaction(() => store(library, taxonomyId, source, labels))();
  return getTaxonomy(library, taxonomyId);
}

/** @throws EngineError `not-found` */
export function removeTaxonomy(library: Library, taxonomyId: string): void {
  taxonomyRow(library, taxonomyId);
  library.db.prepare('DELETE FROM taxonomies WHERE id = ?').run([taxonomyId]);
}

/**
 * Labels tracks again after an import; what was set by hand stays. A label file that is gone or broken counts as it was
 * read last.
 * @throws the signal's reason
 */
export async function refreshTaxonomies(
  context: EngineContext,
  library: Library,
  signal: AbortSignal,
): Promise<void> {
  const taxonomies = library.db.prepare<TaxonomyRow>(`SELECT ${COLUMNS} FROM taxonomies`).all();
  for (const row of taxonomies) {
    const { source } = storedSource(row);
    let labels: Derived | null;
    try {
      labels = await deriveLabels(context, library, source, signal);
    } catch (thrown) {
      if (!(thrown instanceof EngineError)) throw thrown;
      labels = keptLabels(library, row.id);
    }
    const found = labels;
    // It may have been removed while its file was read.
    if (found && exists(library, row.id))
      library.db.transaction(() => store(library, row.id, source, found))();
  }
}

/** What a source says about the tracks of a library. */
interface Derived {
  labels: Labelsets;
  unmatched: number;
  reasons: UnmatchedRows[];
  /** Rows to keep, for the time when the file is gone; null leaves what is kept as it is. */
  rows: readonly LabelRow[] | null;
}

async function deriveLabels(
  context: EngineContext,
  library: Library,
  source: TaxonomySource,
  signal: AbortSignal,
): Promise<Derived> {
  const tracks = labelledTracks(library);
  if (source.kind !== 'csv') return { labels: labelsOf(source, tracks), unmatched: 0, reasons: [], rows: [] };
  const paths = tracks.map(({ path }) => path);
  const request = { path: source.path, paths, folder: library.folder() };
  const table = await readLabelTable(context.options.labelWorker, request, signal);
  if (table.labels.size === 0) throw nothingMatched(source.path, table, paths);
  return {
    labels: byTrack(table, tracks),
    unmatched: table.unmatched,
    reasons: table.reasons,
    rows: table.kept ?? [],
  };
}

function labelsOf(
  source: Exclude<TaxonomySource, { kind: 'csv' }>,
  tracks: readonly LabelledTrack[],
): Labelsets {
  switch (source.kind) {
    case 'folders':
      return labelsFromFolders(tracks);
    case 'tokens':
      return labelsFromTokens(tracks);
    case 'tags':
      return labelsFromTags(tracks, source.field);
    case 'hand':
      return new Map();
  }
}

/** Labels of the rows that were kept when the file was read last; null where it was too large to be kept. */
function keptLabels(library: Library, taxonomyId: string): Derived | null {
  const rows = library.db
    .prepare<{ path: string; labels: string }>(
      'SELECT path, labels FROM taxonomy_rows WHERE taxonomy_id = ? ORDER BY position',
    )
    .all([taxonomyId]);
  if (rows.length === 0) return null;
  const tracks = labelledTracks(library);
  const builder = new LabelTableBuilder(
    tracks.map(({ path }) => path),
    library.folder(),
  );
  for (const { path, labels } of rows) builder.add({ path, labels: JSON.parse(labels) as string[] });
  const table = builder.finish();
  return {
    labels: byTrack(table, tracks),
    unmatched: table.unmatched,
    reasons: table.reasons,
    rows: null,
  };
}

function byTrack(table: LabelTable, tracks: readonly LabelledTrack[]): Labelsets {
  return new Map([...table.labels].map(([track, labels]) => [tracks[track]?.id ?? '', labels]));
}

function store(
  library: Library,
  id: string,
  source: TaxonomySource,
  { labels, unmatched, reasons, rows }: Derived,
): void {
  const { db } = library;
  writeLabels(db, id, labels);
  const text = JSON.stringify({ ...source, ...(reasons.length > 0 && { unmatchedRows: reasons }) });
  db.prepare('UPDATE taxonomies SET unmatched = ?, source = ? WHERE id = ?').run([unmatched, text, id]);
  if (rows === null) return;
  db.prepare('DELETE FROM taxonomy_rows WHERE taxonomy_id = ?').run([id]);
  const insert = db.prepare(
    'INSERT INTO taxonomy_rows (taxonomy_id, position, path, labels) VALUES (?, ?, ?, ?)',
  );
  rows.forEach((row, position) => insert.run([id, position, row.path, JSON.stringify(row.labels)]));
}

function labelledTracks(library: Library): LabelledTrack[] {
  return library.db
    .prepare<Omit<LabelledTrack, 'genre'> & { genre: string }>(
      `SELECT id, path, genre, artist, album, year, musical_key AS key FROM tracks WHERE kind = 'file' ORDER BY path`,
    )
    .all()
    .map((row) => ({ ...row, genre: JSON.parse(row.genre) as string[] }));
}

const COLUMNS = 'id, name, source, unmatched';

function taxonomyRow(library: Library, id: string): TaxonomyRow {
  const row = library.db.prepare<TaxonomyRow>(`SELECT ${COLUMNS} FROM taxonomies WHERE id = ?`).get([id]);
  if (row) return row;
  throw new EngineError('not-found', `There is no taxonomy ${id}.`, 'It may have been removed.');
}

function exists(library: Library, id: string): boolean {
  return library.db.prepare('SELECT 1 FROM taxonomies WHERE id = ?').get([id]) !== undefined;
}

/** The source of a taxonomy, and how its last reading went, which is kept beside it. */
function storedSource(row: TaxonomyRow): { source: TaxonomySource; unmatchedRows: UnmatchedRows[] } {
  // Written by `store` from checked input.
  const { unmatchedRows = [], ...source } = JSON.parse(row.source) as TaxonomySource & {
    unmatchedRows?: UnmatchedRows[];
  };
  return { source, unmatchedRows };
}

function describe(library: Library, row: TaxonomyRow): Taxonomy {
  const { source, unmatchedRows } = storedSource(row);
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
    source,
    labels: labels.map(({ name, tracks }) => ({ name, tracks })),
    multilabel: counts?.multilabel === 1,
    labelledTracks: counts?.tracks ?? 0,
    unmatched: row.unmatched,
    unmatchedRows,
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
