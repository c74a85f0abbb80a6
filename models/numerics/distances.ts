import type { Vectors } from './vectors.ts';

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

/**
 * As {@link squaredDistance} in the order of the WebAssembly kernel, so that both give the same bits: one plain sum in
 * component order.
 */
export function squaredDistanceInOrder(
  a: Vectors,
  offsetA: number,
  b: Vectors,
  offsetB: number,
  dim: number,
): number {
  // Elements are read in place here and in other inner loops: a helper such as `at`, fed with every kind of array, is
  // compiled for all of them at once and several times slower.
  let sum = 0;
  for (let i = 0; i < dim; i++) {
    const d = (a[offsetA + i] as number) - (b[offsetB + i] as number);
    sum += d * d;
  }
  return sum;
}

/** Longest run summed in one go; NumPy's block size. */
const pairwiseBlock = 128;

/**
 * As {@link squaredDistance}, summed in NumPy's pairwise order (eight running sums, halves above 128 terms). On data of few
 * distinct values many centres are equally near and rounding alone decides between them; with this order the
 * decision is the one of the reference outputs.
 */
export function squaredDistancePairwise(
  a: Float64Array,
  offsetA: number,
  b: Float64Array,
  offsetB: number,
  n: number,
): number {
  if (n > pairwiseBlock) {
    const half = (n >> 1) - ((n >> 1) % 8);
    return (
      squaredDistancePairwise(a, offsetA, b, offsetB, half) +
      squaredDistancePairwise(a, offsetA + half, b, offsetB + half, n - half)
    );
  }
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let s4 = 0;
  let s5 = 0;
  let s6 = 0;
  let s7 = 0;
  let i = 0;
  for (; i + 8 <= n; i += 8) {
    const x = offsetA + i;
    const y = offsetB + i;
    const d0 = (a[x] as number) - (b[y] as number);
    s0 += d0 * d0;
    const d1 = (a[x + 1] as number) - (b[y + 1] as number);
    s1 += d1 * d1;
    const d2 = (a[x + 2] as number) - (b[y + 2] as number);
    s2 += d2 * d2;
    const d3 = (a[x + 3] as number) - (b[y + 3] as number);
    s3 += d3 * d3;
    const d4 = (a[x + 4] as number) - (b[y + 4] as number);
    s4 += d4 * d4;
    const d5 = (a[x + 5] as number) - (b[y + 5] as number);
    s5 += d5 * d5;
    const d6 = (a[x + 6] as number) - (b[y + 6] as number);
    s6 += d6 * d6;
    const d7 = (a[x + 7] as number) - (b[y + 7] as number);
    s7 += d7 * d7;
  }
  let sum = s0 + s1 + (s2 + s3) + (s4 + s5 + (s6 + s7));
  for (; i < n; i++) {
    const d = (a[offsetA + i] as number) - (b[offsetB + i] as number);
    sum += d * d;
  }
  return sum;
}

/** Cosine of the angle between two rows, −1…1 up to rounding; 0 when either is zero (no direction to compare). */
function cosineSimilarity(a: Vectors, offsetA: number, b: Vectors, offsetB: number, dim: number): number {
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
  return aa === 0 || bb === 0 ? 0 : dot / (Math.sqrt(aa) * Math.sqrt(bb));
}

/** `1 − cos(a, b)` in [0, 2]; 1 when either vector is zero. */
export function cosineDistance(
  a: Vectors,
  offsetA: number,
  b: Vectors,
  offsetB: number,
  dim: number,
): number {
  return 1 - cosineSimilarity(a, offsetA, b, offsetB, dim);
}

/** Cosine of the angle between two vectors of one length, −1…1; 0 when one of them is zero. */
export function cosine(a: Vectors, b: Vectors): number {
  return Math.max(-1, Math.min(1, cosineSimilarity(a, 0, b, 0, a.length)));
}
