import { Pacer } from '../../numerics/pacer.ts';

/** What one representation of some items is, for comparing it with another of the same items. */
export interface Representation {
  /** Gram matrix of the centred features, diagonal 0: `[n, n]`. */
  gram: Float64Array;
  /** Its sums by row, and over all. */
  rows: Float64Array;
  total: number;
  /** Ranks of `1 − cos` between all pairs of items, ties shared, less their mean. */
  ranks: Float64Array;
  n: number;
}

/** @param features `[n, dim]`, n ≥ 4. @throws the signal's reason */
export async function representationOf(
  features: Float32Array,
  dim: number,
  signal?: AbortSignal,
): Promise<Representation> {
  const pacer = new Pacer(signal);
  const n = features.length / dim;
  const centred = centredRows(features, dim, n);
  const gram = new Float64Array(n * n);
  const rows = new Float64Array(n);
  const distances = new Float64Array((n * (n - 1)) / 2);
  const lengths = Float64Array.from({ length: n }, (_, i) => Math.sqrt(dot(features, i, i, dim)));
  let total = 0;
  let pair = 0;
  for (let i = 0; i < n; i++) {
    if (pacer.due(2 * n * dim)) await pacer.pause();
    for (let j = i + 1; j < n; j++) {
      const value = dot(centred, i, j, dim);
      gram[i * n + j] = value;
      gram[j * n + i] = value;
      rows[i] = (rows[i] ?? 0) + value;
      rows[j] = (rows[j] ?? 0) + value;
      total += 2 * value;
      const length = (lengths[i] ?? 0) * (lengths[j] ?? 0);
      distances[pair++] = length > 0 ? 1 - dot(features, i, j, dim) / length : 1;
    }
  }
  return { gram, rows, total, ranks: centredRanks(distances), n };
}

/**
 * Debiased linear CKA: 1 for the same representation but for rotation and scale, about 0 for unrelated ones however many
 * dimensions they have (Kornblith et al. 2019, with the unbiased HSIC of Song et al. 2012, eq. 5).
 * @returns null where one of them does not vary enough to tell
 */
export function debiasedCka(a: Representation, b: Representation): number | null {
  const own = hsic(a, a) * hsic(b, b);
  return own > 0 ? hsic(a, b) / Math.sqrt(own) : null;
}

/**
 * Representational similarity analysis: Spearman’s correlation of the cosine distances between all pairs of items
 * (Kriegeskorte et al. 2008).
 * @returns null where all distances of one are equal
 */
export function representationalSimilarity(
  { ranks: a }: Representation,
  { ranks: b }: Representation,
): number | null {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] ?? 0, b[i] ?? 0];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : null;
}

function hsic(a: Representation, b: Representation): number {
  const { n } = a;
  let trace = 0;
  for (let i = 0; i < a.gram.length; i++) trace += (a.gram[i] ?? 0) * (b.gram[i] ?? 0);
  let crossed = 0;
  for (let i = 0; i < n; i++) crossed += (a.rows[i] ?? 0) * (b.rows[i] ?? 0);
  return (trace + (a.total * b.total) / ((n - 1) * (n - 2)) - (2 * crossed) / (n - 2)) / (n * (n - 3));
}

function centredRows(features: Float32Array, dim: number, n: number): Float64Array {
  const mean = new Float64Array(dim);
  for (let i = 0; i < features.length; i++) mean[i % dim] = (mean[i % dim] ?? 0) + (features[i] ?? 0) / n;
  return Float64Array.from(features, (value, i) => value - (mean[i % dim] ?? 0));
}

function dot(rows: Float32Array | Float64Array, i: number, j: number, dim: number): number {
  let sum = 0;
  for (let d = 0, p = i * dim, q = j * dim; d < dim; d++, p++, q++)
    sum += (rows[p] as number) * (rows[q] as number);
  return sum;
}

function centredRanks(values: Float64Array): Float64Array {
  const order = Uint32Array.from(values.keys()).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const ranks = new Float64Array(values.length);
  const mean = (values.length - 1) / 2;
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    const value = values[order[start] ?? 0];
    while (end < order.length && values[order[end] ?? 0] === value) end++;
    for (let at = start; at < end; at++) ranks[order[at] ?? 0] = (start + end - 1) / 2 - mean;
    start = end;
  }
  return ranks;
}
