/** Row-major vectors of either precision; distances are always computed in float64. */
export type Vectors = Float32Array | Float64Array;

/**
 * Element of a typed array at an index the caller's loop bounds guarantee, which `noUncheckedIndexedAccess` cannot
 * see. A fallback such as `?? NaN` would keep the compiler from holding the value as a plain double: measured up to
 * thirty times slower in the k-means loop. Out of range, arithmetic gives NaN all the same.
 */
export function at(values: ArrayLike<number>, index: number): number {
  return values[index] as number;
}

/**
 * Squared Euclidean distance of the rows starting at `offsetA` and `offsetB`, summed from direct differences in
 * float64 (never the `x² − 2xy + y²` expansion, whose rounding would invent or break ties). Symmetric bit for bit.
 */
export function squaredDistance(
  a: Vectors,
  offsetA: number,
  b: Vectors,
  offsetB: number,
  dim: number,
): number {
  return squaredDistanceBelow(a, offsetA, b, offsetB, dim, Infinity);
}

/** How many components are summed before the running sum is compared with the limit. */
const abandonEvery = 64;

/**
 * As {@link squaredDistance}, but may stop early and return any partial sum `> limit` once the distance is known to
 * exceed `limit`. Values `<= limit` are exact and identical to {@link squaredDistance}.
 */
export function squaredDistanceBelow(
  a: Vectors,
  offsetA: number,
  b: Vectors,
  offsetB: number,
  dim: number,
  limit: number,
): number {
  // Four running sums break the dependency between additions, which is what bounds this loop.
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let i = 0;
  const whole = dim - (dim % 4);
  while (i < whole) {
    const stop = Math.min(whole, i + abandonEvery);
    for (; i < stop; i += 4) {
      const d0 = (a[offsetA + i] as number) - (b[offsetB + i] as number);
      const d1 = (a[offsetA + i + 1] as number) - (b[offsetB + i + 1] as number);
      const d2 = (a[offsetA + i + 2] as number) - (b[offsetB + i + 2] as number);
      const d3 = (a[offsetA + i + 3] as number) - (b[offsetB + i + 3] as number);
      s0 += d0 * d0;
      s1 += d1 * d1;
      s2 += d2 * d2;
      s3 += d3 * d3;
    }
    if (s0 + s1 + (s2 + s3) > limit) return s0 + s1 + (s2 + s3);
  }
  for (; i < dim; i++) {
    const d = (a[offsetA + i] as number) - (b[offsetB + i] as number);
    s0 += d * d;
  }
  return s0 + s1 + (s2 + s3);
}

/** Cosine distance `1 − cos(a, b)` in [0, 2], float64; 1 when either vector is zero (no direction to compare). */
export function cosineDistance(
  a: Vectors,
  offsetA: number,
  b: Vectors,
  offsetB: number,
  dim: number,
): number {
  let dot = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < dim; i++) {
    const x = a[offsetA + i] as number;
    const y = b[offsetB + i] as number;
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  if (aa === 0 || bb === 0) return 1;
  return 1 - dot / (Math.sqrt(aa) * Math.sqrt(bb));
}
