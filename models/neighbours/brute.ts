import { rowsAtOnce, type Rows } from './rows.ts';
import { Pacer } from '../numerics/pacer.ts';
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

/**
 * Exact k nearest rows by direct float64 differences, every row with every query: ascending distance, then ascending row
 * (the order golden/multilabel/SPEC.md §7 fixes where libraries leave it open).
 * @param options.k `1..train.count`; all values are finite.
 * @throws the signal's reason on abort.
 */
export async function compareAllRows(
  train: { features: Vectors; count: number; dim: number } | Rows,
  queries: { features: Vectors; count: number },
  options: { k: number; metric?: Metric | undefined; signal?: AbortSignal | undefined },
): Promise<NearestRows> {
  const { k, metric = 'euclidean' } = options;
  const { dim, count } = train;
  const pacer = new Pacer(options.signal);
  const rows = new Int32Array(queries.count * k);
  const distances = new Float64Array(queries.count * k).fill(Infinity);
  // Chunks of about a millisecond: loops in async functions are compiled less well than this inner one.
  const chunk = Math.max(1, Math.floor(chunkWork / dim));
  // What has to be read is read once for all queries.
  const part = 'read' in train ? rowsAtOnce(dim) : count;
  for (let start = 0; start < count; start += part) {
    const end = Math.min(count, start + part);
    const [features, base] = 'read' in train ? [train.read(start, end - start), start] : [train.features, 0];
    for (let q = 0; q < queries.count; q++) {
      const own = {
        rows: rows.subarray(q * k, (q + 1) * k),
        distances: distances.subarray(q * k, (q + 1) * k),
      };
      for (let first = start - base; first < end - base; first += chunk) {
        const last = Math.min(end - base, first + chunk);
        scanRows(features, base, first, last, queries.features, q, dim, metric, own);
        if (pacer.due((last - first) * dim)) await pacer.pause();
      }
    }
  }
  return { k, rows, distances };
}

/** Multiply-adds between two looks at the pacer. */
const chunkWork = 1 << 20;

/** Merges rows `first..last` of `features`, which begin at row `base`, into the sorted neighbours of query `q`. */
function scanRows(
  features: Vectors,
  base: number,
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
    rows[slot] = base + row;
  }
}
