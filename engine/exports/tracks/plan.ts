import type { RowNeighbours } from '../../../models/datasets/index.ts';
import { ExactIndex } from '../../../models/neighbours/exact.ts';
import { chosenRows } from '../../../models/neighbours/rows.ts';
import { EngineError } from '../../api/errors.ts';
import type { Library } from '../../library/library.ts';
import type { JobHandle } from '../../jobs/queue.ts';
import { libraryMap } from '../../projection/compute.ts';
import { exportedSpaces, type ExportedSpace, type TrackSubject } from './subject.ts';

/** Queries that neighbours are asked for at once. */
const BATCH = 256;
/** In place of a row of the embeddings: the track is not embedded. */
const NONE = -1;

/** What the rows of a table are, before any is read. */
export interface TablePlan {
  level: 'track' | 'window';
  /** In order; at the level of windows only those that are embedded. */
  trackIds: readonly string[];
  /** Rows of each track: 1, or its windows. */
  counts: readonly number[];
  count: number;
  spaces: readonly ExportedSpace[];
  /** By row; NaN where the track is not embedded. */
  map: { x: Float32Array; y: Float32Array } | null;
  /** By row; null where the track is not embedded. */
  neighbours: (RowNeighbours | null)[] | null;
}

/**
 * Decides on the rows of a table, lays them out and finds their neighbours among them.
 * @throws EngineError as {@link exportedSpaces}; `bad-input` when the library changes meanwhile; the signal's reason
 */
export async function planTable(
  library: Library,
  subject: TrackSubject,
  seed: number,
  job: JobHandle,
): Promise<TablePlan> {
  const { level } = subject;
  const spaces = exportedSpaces(library, subject);
  // One that is named twice is one row.
  const wanted = subject.trackIds ? [...new Set(subject.trackIds)] : library.tracks.present();
  const [first] = spaces;
  if (!first) return { ...ofTracks(wanted), spaces, map: null, neighbours: null };
  const { space } = first;
  const { trackIds: embedded, counts, fingerprint } = library.embeddings.tracks(space);
  const starts = new Map<string, { at: number; start: number; count: number }>();
  let start = 0;
  embedded.forEach((id, at) => {
    const count = counts[at] ?? 0;
    starts.set(id, { at, start, count });
    start += count;
  });
  const rows = level === 'track' ? ofTracks(wanted) : ofWindows(wanted, (id) => starts.get(id)?.count ?? 0);
  if (rows.count === 0)
    throw new EngineError(
      'bad-input',
      'None of these tracks is embedded in that space.',
      'Import the library with that pack first, or choose other tracks.',
    );
  // Where each row lies among the embeddings.
  const sources = new Int32Array(rows.count).fill(NONE);
  let row = 0;
  for (const [t, id] of rows.trackIds.entries()) {
    const known = starts.get(id);
    for (let w = 0; w < (rows.counts[t] ?? 0); w++, row++)
      if (known) sources[row] = level === 'track' ? known.at : known.start + w;
  }
  const map =
    subject.map === null
      ? null
      : await mapOf(library, space, sources, { ...subject, map: subject.map, seed }, job);
  const neighbours =
    subject.neighbours === 0 ? null : await neighboursOf(library, space, sources, subject, job);
  if (library.embeddings.tracks(space).fingerprint !== fingerprint) throw changed();
  return { ...rows, spaces, map, neighbours };
}

/** The library is not any more what an export began with. */
export function changed(): EngineError {
  return new EngineError(
    'bad-input',
    'The library changed while it was exported.',
    'Export again when nothing is imported any more.',
  );
}

type Rows = Pick<TablePlan, 'level' | 'trackIds' | 'counts' | 'count'>;

function ofTracks(trackIds: readonly string[]): Rows {
  return { level: 'track', trackIds, counts: trackIds.map(() => 1), count: trackIds.length };
}

function ofWindows(wanted: readonly string[], countOf: (id: string) => number): Rows {
  const trackIds = wanted.filter((id) => countOf(id) > 0);
  const counts = trackIds.map(countOf);
  return { level: 'window', trackIds, counts, count: counts.reduce((sum, own) => sum + own, 0) };
}

type Space = ExportedSpace['space'];

async function mapOf(
  library: Library,
  space: Space,
  sources: Int32Array,
  { map: method, level, seed }: { map: 'pca' | 'umap'; level: 'track' | 'window'; seed: number },
  job: JobHandle,
): Promise<NonNullable<TablePlan['map']>> {
  const current = 'laying out the map';
  const whole = await libraryMap(
    library,
    space,
    { method, level, seed },
    {
      signal: job.signal,
      onProgress: (fraction) =>
        job.report({ done: Math.round(100 * fraction), total: 100, unit: '%', current }),
    },
  );
  const picked = (all: Float32Array): Float32Array =>
    Float32Array.from(sources, (source) => (source === NONE ? NaN : (all[source] ?? NaN)));
  return { x: picked(whole.x), y: picked(whole.y) };
}

async function neighboursOf(
  library: Library,
  space: Space,
  sources: Int32Array,
  { level, neighbours: wanted }: Pick<TrackSubject, 'level' | 'neighbours'>,
  job: JobHandle,
): Promise<(RowNeighbours | null)[]> {
  const all = await library.embeddings.vectors(space).rows(level, job.signal);
  const embedded = [...sources.keys()].filter((row) => sources[row] !== NONE);
  const rows = chosenRows(
    all,
    Int32Array.from(embedded, (row) => sources[row] ?? 0),
  );
  const index = await ExactIndex.over(rows);
  const found: (RowNeighbours | null)[] = Array.from({ length: sources.length }, () => null);
  try {
    for (let first = 0; first < embedded.length; first += BATCH) {
      await job.checkpoint();
      job.report({ done: first, total: embedded.length, unit: 'rows', current: 'finding neighbours' });
      const queries = rows.read(first, Math.min(BATCH, rows.count - first));
      const nearest = await index.query(queries, wanted + 1, { signal: job.signal });
      for (const [q, own] of nearest.entries()) {
        // A row is its own nearest, unless an equal one comes before it.
        const others = own.filter((neighbour) => neighbour.row !== first + q).slice(0, wanted);
        const row = embedded[first + q];
        if (row === undefined) continue;
        found[row] = {
          ids: others.map((neighbour) => embedded[neighbour.row] ?? NONE),
          distances: others.map(({ distance }) => distance),
        };
      }
    }
  } finally {
    await index.close();
  }
  return found;
}
