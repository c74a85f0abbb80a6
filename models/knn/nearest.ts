import { NumericError } from '../numerics/errors.ts';
import { Pacer } from '../numerics/pacer.ts';
import { checkFinite } from '../embeddings/labelled-vectors.ts';
import { cosineDistance, squaredDistanceBelow } from '../numerics/distances.ts';
import { at, type Vectors } from '../numerics/vectors.ts';

/** Distance used for neighbours. Ties in either are broken by the lower row. */
export type Metric = 'euclidean' | 'cosine';

/** The `k` nearest training rows of every query, nearest first. */
export interface NearestRows {
  k: number;
  /** `[queries, k]` row numbers. */
  rows: Int32Array;
  /** `[queries, k]`: squared Euclidean or cosine distances, float64. */
  distances: Float64Array;
}

/** Refuses a neighbour count that is not an integer in `1..count`. @throws NumericError `bad-parameter`. */
export function checkNeighbourCount(k: number, count: number): void {
  if (!Number.isInteger(k) || k < 1)
    throw new NumericError(
      'bad-parameter',
      `k must be a whole number of at least 1, not ${k}.`,
      'Try k = 1.',
    );
  if (k > count)
    throw new NumericError(
      'bad-parameter',
      `k = ${k} neighbours cannot be taken from ${count} row${count === 1 ? '' : 's'}.`,
      `Choose k of at most ${count}, or keep more prototypes.`,
    );
}

/**
 * Exact k nearest rows by direct float64 differences: ascending distance, then ascending row
 * (the order golden/multilabel/SPEC.md §7 fixes where libraries leave it open).
 * @throws NumericError `bad-parameter` for k, `not-finite` for a query; the signal's reason on abort.
 */
export async function nearestRows(
  train: { features: Vectors; count: number; dim: number },
  queries: { features: Vectors; count: number },
  options: { k: number; metric?: Metric; signal?: AbortSignal },
): Promise<NearestRows> {
  const { k, metric = 'euclidean' } = options;
  const { dim } = train;
  checkNeighbourCount(k, train.count);
  if (queries.features.length !== queries.count * dim)
    throw new NumericError(
      'shape',
      `The queries should hold ${queries.count} × ${dim} features but hold ${queries.features.length}.`,
      'Queries and training rows need the same features.',
    );
  const pacer = new Pacer(options.signal);
  await checkFinite(queries.features, dim, pacer, 'The query set');
  const rows = new Int32Array(queries.count * k);
  const distances = new Float64Array(queries.count * k).fill(Infinity);
  // Chunks of about a millisecond: loops in async functions are compiled less well than this inner one.
  const chunk = Math.max(1, Math.floor(chunkWork / dim));
  for (let q = 0; q < queries.count; q++) {
    const own = {
      rows: rows.subarray(q * k, (q + 1) * k),
      distances: distances.subarray(q * k, (q + 1) * k),
    };
    for (let first = 0; first < train.count; first += chunk) {
      const last = Math.min(train.count, first + chunk);
      scanRows(train.features, first, last, queries.features, q, dim, metric, own);
      if (pacer.due((last - first) * dim)) await pacer.pause();
    }
  }
  return { k, rows, distances };
}

/** Multiply-adds between two looks at the pacer. */
const chunkWork = 1 << 20;

/** Merges rows `first..last` into the sorted neighbours of query `q`. */
function scanRows(
  features: Vectors,
  first: number,
  last: number,
  queries: Vectors,
  q: number,
  dim: number,
  metric: Metric,
  own: { rows: Int32Array; distances: Float64Array },
): void {
  const { rows, distances } = own;
  const end = rows.length - 1;
  for (let row = first; row < last; row++) {
    const limit = at(distances, end);
    const d =
      metric === 'euclidean'
        ? squaredDistanceBelow(queries, q * dim, features, row * dim, dim, limit)
        : cosineDistance(queries, q * dim, features, row * dim, dim);
    // Rows come in ascending order, so a strict comparison keeps the lower row on ties.
    if (!(d < limit)) continue;
    let slot = end;
    for (; slot > 0 && at(distances, slot - 1) > d; slot--) {
      distances[slot] = at(distances, slot - 1);
      rows[slot] = at(rows, slot - 1);
    }
    distances[slot] = d;
    rows[slot] = row;
  }
}

/** The same neighbours cut to a smaller `k` (prefixes: nearest first). */
export function cutNearest(nearest: NearestRows, k: number): NearestRows {
  if (k === nearest.k) return nearest;
  checkNeighbourCount(k, nearest.k);
  const queries = nearest.rows.length / nearest.k;
  const rows = new Int32Array(queries * k);
  const distances = new Float64Array(queries * k);
  for (let q = 0; q < queries; q++) {
    rows.set(nearest.rows.subarray(q * nearest.k, q * nearest.k + k), q * k);
    distances.set(nearest.distances.subarray(q * nearest.k, q * nearest.k + k), q * k);
  }
  return { k, rows, distances };
}
