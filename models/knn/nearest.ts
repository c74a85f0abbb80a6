import { NumericError } from '../numerics/errors.ts';
import { Pacer } from '../numerics/pacer.ts';
import { checkFinite } from '../embeddings/labelled-vectors.ts';
import { compareAllRows, type Metric, type NearestRows } from '../neighbours/brute.ts';
import { ExactIndex } from '../neighbours/exact.ts';
import { counted } from '../text/counted.ts';
import type { Vectors } from '../numerics/vectors.ts';

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
      `k = ${k} neighbours cannot be taken from ${counted(count, 'row')}.`,
      `Choose k of at most ${count}, or keep more prototypes.`,
    );
}

/**
 * Exact k nearest rows by float64 differences: ascending distance, then ascending row
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
  // The index knows float32 rows; sets that were computed in float64 are small.
  const { features } = train;
  if (!(features instanceof Float32Array && queries.features instanceof Float32Array))
    return compareAllRows(train, queries, options);
  const index = await ExactIndex.build(features, dim, metric);
  try {
    return await index.nearest(queries.features, k, options);
  } finally {
    await index.close();
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
