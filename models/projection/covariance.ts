import type { Rows } from '../neighbours/rows.ts';
import type { Pacer } from '../numerics/pacer.ts';

// Elements are read in place: a helper fed with every kind of array is several times slower in these loops.

/** Mean and covariance of a set of vectors. */
export interface Moments {
  dim: number;
  mean: Float64Array;
  /** `[dim, dim]`, symmetric, divided by the number of rows. */
  matrix: Float64Array;
  /** Trace: the whole variance. */
  total: number;
}

/** Moments of the rows, or of evenly spaced ones when there are more than `limit`. */
export async function covariance(
  all: Rows,
  limit: number,
  pacer: Pacer,
  onProgress?: (fraction: number) => void,
): Promise<Moments> {
  const { count, dim } = all;
  const step = Math.ceil(count / limit);
  const rows = Math.ceil(count / step);
  const mean = new Float64Array(dim);
  for (let row = 0; row < count; row += step) {
    const own = all.one(row);
    for (let d = 0; d < dim; d++) mean[d] = (mean[d] as number) + (own[d] as number) / rows;
  }
  const matrix = new Float64Array(dim * dim);
  const centred = new Float64Array(dim);
  for (let row = 0; row < count; row += step) {
    const own = all.one(row);
    for (let d = 0; d < dim; d++) centred[d] = (own[d] as number) - (mean[d] as number);
    for (let a = 0; a < dim; a++) {
      const value = (centred[a] as number) / rows;
      if (value === 0) continue;
      for (let b = a; b < dim; b++)
        matrix[a * dim + b] = (matrix[a * dim + b] as number) + value * (centred[b] as number);
    }
    if (pacer.due((dim * dim) / 2)) {
      onProgress?.(row / count);
      await pacer.pause();
    }
  }
  let total = 0;
  for (let a = 0; a < dim; a++) {
    total += matrix[a * dim + a] as number;
    for (let b = 0; b < a; b++) matrix[a * dim + b] = matrix[b * dim + a] as number;
  }
  // A variance at the level of float32 rounding of the mean is no variance.
  const scale = mean.reduce((sum, value) => sum + value * value, 0);
  return { dim, mean, matrix, total: total <= scale * 1e-14 ? 0 : total };
}

/** `matrix · v` for every vector; the matrix is read once. */
export function multiplyBlock(
  matrix: Float64Array,
  dim: number,
  block: readonly Float64Array[],
): Float64Array[] {
  const out = block.map(() => new Float64Array(dim));
  for (let row = 0; row < dim; row++) {
    for (const [i, vector] of block.entries()) {
      let sum = 0;
      for (let d = 0; d < dim; d++) sum += (matrix[row * dim + d] as number) * (vector[d] as number);
      const target = out[i];
      if (target) target[row] = sum;
    }
  }
  return out;
}

/** Gram–Schmidt, twice for accuracy. Directions that vanish are left out. */
export function orthonormalise(block: readonly Float64Array[]): Float64Array[] {
  const basis: Float64Array[] = [];
  for (const vector of block) {
    const own = Float64Array.from(vector);
    const before = Math.sqrt(own.reduce((sum, value) => sum + value * value, 0));
    for (let pass = 0; pass < 2; pass++)
      for (const other of basis) {
        let product = 0;
        for (let d = 0; d < own.length; d++) product += (own[d] as number) * (other[d] as number);
        for (let d = 0; d < own.length; d++) own[d] = (own[d] as number) - product * (other[d] as number);
      }
    const length = Math.sqrt(own.reduce((sum, value) => sum + value * value, 0));
    if (length > before * 1e-12) basis.push(own.map((value) => value / length));
  }
  return basis;
}
