import { Pacer } from '../numerics/pacer.ts';
import { at } from '../numerics/vectors.ts';
import { compareAllRows, type Metric } from './brute.ts';
import type { Neighbour } from './exact.ts';
import { asRows, type Rows } from './rows.ts';

/** What brings every dimension of a set of rows to mean 0 and deviation 1. */
export interface Standardisation {
  /** `[dim]` */
  readonly mean: Float64Array;
  /** `[dim]`: 1 / deviation; 0 for a dimension in which all rows are equal, which then counts for nothing. */
  readonly scale: Float64Array;
}

/** A deviation below this share of the mean is rounding of equal values. */
const LEAST_SPREAD = 2 ** -20;
/** Values copied at once: rows are standardised as they are compared, never all of them kept twice. */
const CHUNK_VALUES = 1 << 20;

/**
 * Mean and deviation of every dimension, by Welford's update: no cancellation far from the origin.
 * @param vectors rows, or `[n, dim]`; at least one, finite
 * @throws the signal's reason
 */
export async function standardisationOf(
  vectors: Float32Array | Rows,
  dim: number,
  signal?: AbortSignal,
): Promise<Standardisation> {
  const pacer = new Pacer(signal);
  const all = asRows(vectors, dim);
  const { count } = all;
  const mean = new Float64Array(dim);
  const squares = new Float64Array(dim);
  const rows = Math.max(1, Math.floor(CHUNK_VALUES / dim));
  for (let first = 0; first < count; first += rows) {
    const last = Math.min(count, first + rows);
    addRows(all.read(first, last - first), first, mean, squares);
    if (pacer.due((last - first) * dim)) await pacer.pause();
  }
  const scale = squares.map((sum, d) => {
    const deviation = Math.sqrt(sum / count);
    return deviation > LEAST_SPREAD * Math.abs(at(mean, d)) ? 1 / deviation : 0;
  });
  return { mean, scale };
}

/** @param before rows that were added already */
function addRows(vectors: Float32Array, before: number, mean: Float64Array, squares: Float64Array): void {
  const dim = mean.length;
  for (let row = 0; row < vectors.length / dim; row++)
    for (let d = 0; d < dim; d++) {
      const value = at(vectors, row * dim + d);
      const step = value - at(mean, d);
      mean[d] = at(mean, d) + step / (before + row + 1);
      squares[d] = at(squares, d) + step * (value - at(mean, d));
    }
}

/** Rows as they are compared, in `out` or a new array. @param vectors `[m, dim]` */
export function standardise(
  vectors: Float32Array,
  { mean, scale }: Standardisation,
  out: Float32Array = new Float32Array(vectors.length),
): Float32Array {
  const dim = mean.length;
  for (let i = 0; i < vectors.length; i++) out[i] = (at(vectors, i) - at(mean, i % dim)) * at(scale, i % dim);
  return out;
}

/**
 * The `min(k, n)` nearest of all rows to one query, where both are standardised: exact, nearest first, then by row.
 * @param vectors rows, or `[n, dim]`, as they were trained
 * @param query `[dim]`, standardised already
 * @throws the signal's reason
 */
export async function nearestStandardised(
  vectors: Float32Array | Rows,
  standardisation: Standardisation,
  query: Float32Array,
  options: { k: number; metric: Metric; signal?: AbortSignal | undefined },
): Promise<Neighbour[]> {
  const dim = query.length;
  const { metric, signal } = options;
  const all = asRows(vectors, dim);
  const rows = Math.max(1, Math.floor(CHUNK_VALUES / dim));
  const buffer = new Float32Array(Math.min(rows, all.count) * dim);
  let nearest: Neighbour[] = [];
  for (let first = 0; first < all.count; first += rows) {
    const count = Math.min(rows, all.count - first);
    const part = all.read(first, count);
    const features = standardise(part, standardisation, buffer.subarray(0, part.length));
    const found = await compareAllRows(
      { features, count, dim },
      { features: query, count: 1 },
      { k: Math.min(options.k, count), metric, signal },
    );
    const own = Array.from(found.rows, (row, i) => ({ row: first + row, distance: at(found.distances, i) }));
    nearest = [...nearest, ...own]
      .sort((a, b) => a.distance - b.distance || a.row - b.row)
      .slice(0, options.k);
  }
  if (metric === 'euclidean') for (const found of nearest) found.distance = Math.sqrt(found.distance);
  return nearest;
}
