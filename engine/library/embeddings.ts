import { EngineError } from '../api/errors.ts';
import type { OpenLibrary } from '../context.ts';
import type { Database } from '../storage/database.ts';

/** Windows of many tracks as one matrix, ordered by track path, then by window. */
export interface WindowEmbeddings {
  dim: number;
  count: number;
  /** float32[count, dim], row-major. */
  vectors: Float32Array;
  /** Distinct, in order. */
  trackIds: string[];
  /** int32[count]: index into `trackIds`. */
  trackOf: Int32Array;
  /** int32[count]: which window of its track. */
  windowIndex: Int32Array;
  /** float32[count] */
  startSeconds: Float32Array;
  /** float32[count]: seconds of audio in the window; the last one of a track may be shorter. */
  durationSeconds: Float32Array;
}

interface EmbeddingRow {
  track_id: string;
  dim: number;
  count: number;
  vectors: ArrayBuffer;
  window_index: ArrayBuffer;
  start_seconds: ArrayBuffer;
  window_seconds: ArrayBuffer;
}

const CHUNK = 500;

/**
 * Embeddings of the tracks that are ready, or of some of them.
 * @throws EngineError `database` when rows of different packs are mixed
 */
export function loadWindowEmbeddings(library: OpenLibrary, trackIds?: readonly string[]): WindowEmbeddings {
  const { db } = library;
  const only = trackIds ? 'AND t.id IN (SELECT value FROM json_each(?))' : '';
  const parameters = trackIds ? [JSON.stringify(trackIds)] : [];
  const heads = db
    .prepare<{ id: string; dim: number; count: number }>(
      `SELECT t.id, e.dim, e.count FROM tracks t JOIN cache.embeddings e ON e.track_id = t.id
        WHERE t.state = 'ready' ${only} ORDER BY t.path`,
    )
    .all(parameters);
  const dim = heads[0]?.dim ?? 0;
  if (heads.some((head) => head.dim !== dim)) {
    throw new EngineError(
      'database',
      'The embeddings of this library come from different packs.',
      'Import the library again.',
    );
  }
  const count = heads.reduce((sum, head) => sum + head.count, 0);
  const all: WindowEmbeddings = {
    dim,
    count,
    vectors: new Float32Array(count * dim),
    trackIds: heads.map((head) => head.id),
    trackOf: new Int32Array(count),
    windowIndex: new Int32Array(count),
    startSeconds: new Float32Array(count),
    durationSeconds: new Float32Array(count),
  };
  const rows = db.prepare<EmbeddingRow>(
    `SELECT track_id, dim, count, vectors, window_index, start_seconds, window_seconds
       FROM cache.embeddings WHERE track_id IN (SELECT value FROM json_each(?))`,
  );
  let offset = 0;
  // In parts: a library's blobs and their matrix need not both be in memory as a whole.
  for (let first = 0; first < heads.length; first += CHUNK) {
    const ids = all.trackIds.slice(first, first + CHUNK);
    const byId = new Map(rows.all([JSON.stringify(ids)]).map((row) => [row.track_id, row]));
    ids.forEach((id, position) => {
      const row = byId.get(id);
      if (!row) return;
      all.vectors.set(new Float32Array(row.vectors), offset * dim);
      all.windowIndex.set(new Int32Array(row.window_index), offset);
      all.startSeconds.set(new Float32Array(row.start_seconds), offset);
      all.durationSeconds.set(new Float32Array(row.window_seconds), offset);
      all.trackOf.fill(first + position, offset, offset + row.count);
      offset += row.count;
    });
  }
  return all;
}

/** One vector per track: the mean over its windows. `vectors` is float32[tracks, dim]. */
export function trackEmbeddings(windows: WindowEmbeddings): { vectors: Float32Array; trackIds: string[] } {
  const { dim, trackIds } = windows;
  const sums = new Float64Array(trackIds.length * dim);
  const counts = new Int32Array(trackIds.length);
  for (let row = 0; row < windows.count; row++) {
    const track = windows.trackOf[row] ?? 0;
    counts[track] = (counts[track] ?? 0) + 1;
    for (let d = 0; d < dim; d++) {
      sums[track * dim + d] = (sums[track * dim + d] ?? 0) + (windows.vectors[row * dim + d] ?? 0);
    }
  }
  const vectors = new Float32Array(sums.length);
  for (let i = 0; i < sums.length; i++) {
    vectors[i] = (sums[i] ?? 0) / Math.max(1, counts[Math.floor(i / dim)] ?? 1);
  }
  return { vectors, trackIds: [...trackIds] };
}

/**
 * Tracks that were ready but whose embeddings are gone (the cache was deleted, or the power failed between the two
 * databases) wait for the next import.
 */
export function forgetLostEmbeddings(db: Database): void {
  db.prepare(
    `UPDATE tracks SET state = 'pending' WHERE state = 'ready'
       AND (NOT EXISTS (SELECT 1 FROM cache.embeddings e WHERE e.track_id = tracks.id
                          AND e.content_hash = tracks.content_hash)
            OR NOT EXISTS (SELECT 1 FROM cache.peaks p WHERE p.track_id = tracks.id))`,
  ).run();
}
