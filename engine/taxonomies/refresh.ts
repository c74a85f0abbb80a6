import { basename } from 'node:path';
import type { ReadSource, Taxonomy, TaxonomySource } from '../api/taxonomies.ts';
import { EngineError } from '../api/errors.ts';
import type { EngineContext } from '../context.ts';
import type { Library } from '../library/library.ts';
import type { Derived } from '../library/taxonomies.ts';
import type { TaggedTrack } from '../library/tracks.ts';
import { labelsFromFolders, labelsFromTags, labelsFromTokens, type Labelsets } from './derive.ts';
import { LabelTableBuilder, type LabelTable } from './label-table.ts';
import { readLabelTable } from './label-thread.ts';
import { nothingMatched } from './unmatched.ts';

/**
 * Makes a taxonomy and labels every track of the library from its source.
 * @throws EngineError `unreadable`, `bad-input` for a label file that names no track; the signal's reason
 */
export async function createTaxonomy(
  context: EngineContext,
  library: Library,
  source: ReadSource,
  { name, signal }: { name?: string | undefined; signal: AbortSignal },
): Promise<Taxonomy> {
  const derived = await deriveLabels(context, library, source, signal);
  return library.taxonomies.insert(name ?? defaultName(source), source, derived);
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
  const source = library.taxonomies.sourceOf(taxonomyId);
  const derived = await labelsAgain(context, library, { id: taxonomyId, source }, signal);
  // It may have been removed while its file was read.
  library.taxonomies.sourceOf(taxonomyId);
  if (derived) library.taxonomies.put(taxonomyId, source, derived);
  return library.taxonomies.get(taxonomyId);
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
  for (const { id, source } of library.taxonomies.sources()) {
    let derived: Derived | null;
    try {
      derived = await labelsAgain(context, library, { id, source }, signal);
    } catch (thrown) {
      if (!(thrown instanceof EngineError)) throw thrown;
      derived = keptLabels(library, id);
    }
    // It may have been removed while its file was read.
    if (derived && library.taxonomies.has(id)) library.taxonomies.put(id, source, derived);
  }
}

/** What a source says now; what was heard is not listened to again, but counts as it was kept. */
function labelsAgain(
  context: EngineContext,
  library: Library,
  { id, source }: { id: string; source: TaxonomySource },
  signal: AbortSignal,
): Promise<Derived | null> {
  if (source.kind === 'heard') return Promise.resolve(keptLabels(library, id));
  return deriveLabels(context, library, source, signal);
}

async function deriveLabels(
  context: EngineContext,
  library: Library,
  source: ReadSource,
  signal: AbortSignal,
): Promise<Derived> {
  const tracks = library.tracks.tagged();
  if (source.kind !== 'csv') return { labels: labelsOf(source, tracks), unmatched: 0, reasons: [], rows: [] };
  const paths = tracks.map(({ path }) => path);
  const request = { path: source.path, paths, folder: library.folder() };
  const table = await readLabelTable(context.readers.ask, request, signal);
  if (table.labels.size === 0) throw nothingMatched(source.path, table, paths);
  return {
    labels: byTrack(table, tracks),
    unmatched: table.unmatched,
    reasons: table.reasons,
    rows: table.kept ?? [],
  };
}

function labelsOf(source: Exclude<ReadSource, { kind: 'csv' }>, tracks: readonly TaggedTrack[]): Labelsets {
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
  const rows = library.taxonomies.keptRows(taxonomyId);
  if (rows.length === 0) return null;
  const tracks = library.tracks.tagged();
  const builder = new LabelTableBuilder(
    tracks.map(({ path }) => path),
    library.folder(),
  );
  for (const row of rows) builder.add(row);
  const table = builder.finish();
  return {
    labels: byTrack(table, tracks),
    unmatched: table.unmatched,
    reasons: table.reasons,
    rows: null,
  };
}

function byTrack(table: LabelTable, tracks: readonly TaggedTrack[]): Labelsets {
  return new Map([...table.labels].map(([track, labels]) => [tracks[track]?.id ?? '', labels]));
}

function defaultName(source: ReadSource): string {
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
