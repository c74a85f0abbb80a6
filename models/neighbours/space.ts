import type { Metric } from './brute.ts';
import type { Rows } from './rows.ts';

/**
 * Coordinates in which rows and queries are rounded to small integers.
 *
 * A vector `v` (of length 1 for the cosine metric; zero stays zero) is centred and measured in `unit`s:
 * `z = (v − mean) / unit`. With the query's `p` likewise, neighbours are ordered by their **score**
 *
 *     level − 2 p·z      level = |z|² (euclidean) or −2 m·z with m = mean / unit (cosine),
 *
 * since |q − x|² = unit² (score + |p|²) and 1 − cos(q, x) = 1 − unit² (p·m + |m|²) + unit² score / 2.
 * `p·z` is taken as `p'·z'` with `p' = p · weight` and `z' = z / weight`, where `weight` is each component's spread:
 * then all components of `z'` are of one size, and rounding them to one step wastes no bits on the small ones.
 *
 * With codes `z' = S c + e`, |e| = E, |z'| = Y and `p' = s g + r`, |r| = R, |s g| = G, the Cauchy–Schwarz inequality
 * bounds what rounding hides: |p'·z' − s S (g·c)| ≤ G E + R Y. So a row's score is at least
 * `level − 2 s S (g·c) − 2G E − 2R Y`, and at most the same with plus. A row whose lowest score exceeds the highest
 * scores of k others cannot be among the k nearest. Everything is inflated far beyond the rounding errors of the
 * float32 and float64 arithmetic involved ({@link floatSlack}).
 */
export interface Space {
  readonly metric: Metric;
  /** `[dim]` */
  readonly mean: Float64Array;
  /** `[dim]`, in (0, 1]. */
  readonly weight: Float64Array;
  /** A power of two, so that measuring in it rounds nothing; about the length of a typical centred row. */
  readonly unit: number;
  /** Length of the mean in units. */
  readonly meanLength: number;
}

/**
 * Relative allowance for float32 arithmetic: the kernel's handful of operations err by less than 16 · 2⁻²⁴ of
 * `|level| + 2G (Y + E) + 2R Y`.
 */
export const floatSlack = 2 ** -20;

/** Rows looked at to find mean and spread: any choice is correct, a good one makes the bounds tight. */
const sampleRows = 4096;
/** Smallest weight: a component that hardly varies is not blown up further. */
const leastWeight = 2 ** -10;

/** Chooses the coordinates for a set of rows. */
export function measureSpace(rows: Rows, metric: Metric): Space {
  const { count, dim } = rows;
  const step = Math.max(1, Math.floor(count / sampleRows));
  const mean = new Float64Array(dim);
  const squares = new Float64Array(dim);
  const row = new Float64Array(dim);
  let seen = 0;
  for (let i = 0; i < count; i += step) {
    normalise(rows.one(i), 0, metric, row);
    seen++;
    // Welford's update: no cancellation far from the origin.
    for (let d = 0; d < dim; d++) {
      const before = (row[d] as number) - (mean[d] as number);
      mean[d] = (mean[d] as number) + before / seen;
      squares[d] = (squares[d] as number) + before * ((row[d] as number) - (mean[d] as number));
    }
  }
  const spread = squares.map((sum) => Math.sqrt(sum / seen));
  const widest = spread.reduce((a, b) => Math.max(a, b), 0);
  const weight = spread.map((value) => (widest > 0 ? Math.max(value / widest, leastWeight) : 1));
  const length = widest * Math.sqrt(dim);
  const unit = length > 0 ? 2 ** Math.round(Math.log2(length)) : 1;
  const meanLength = Math.sqrt(mean.reduce((sum, value) => sum + value * value, 0)) / unit;
  return { metric, mean, weight, unit, meanLength };
}

/** A vector as the metric compares it: itself, or of length 1 (zero stays zero). Writes `out[dim]`. */
function normalise(source: Float32Array, offset: number, metric: Metric, out: Float64Array): void {
  const dim = out.length;
  let scale = 1;
  if (metric === 'cosine') {
    let squared = 0;
    for (let d = 0; d < dim; d++) squared += (source[offset + d] as number) * (source[offset + d] as number);
    scale = squared === 0 ? 0 : 1 / Math.sqrt(squared);
  }
  for (let d = 0; d < dim; d++) out[d] = (source[offset + d] as number) * scale;
}

/** Writes `z` of one vector to `out[dim]`. */
export function centre(space: Space, source: Float32Array, offset: number, out: Float64Array): void {
  const { mean, unit } = space;
  normalise(source, offset, space.metric, out);
  for (let d = 0; d < out.length; d++) out[d] = ((out[d] as number) - (mean[d] as number)) / unit;
}

/** What turns scores of one query into the numbers that order neighbours: squared distances, or `1 − cos`. */
export interface Gauge {
  /** `number = offset + scale · score` */
  offset: number;
  scale: number;
  /** Error, in scores, of everything computed in float64, the neighbour search's own distances included. */
  slack: number;
}

/** @param p the query's centred components. */
export function gauge(space: Space, p: Float64Array): Gauge {
  const { metric, mean, unit, meanLength } = space;
  const dim = p.length;
  const squared = p.reduce((sum, value) => sum + value * value, 0);
  // Scores of rows far below or above the unit may underflow in float32; their error is absolute.
  const least = 2 ** -90;
  if (metric === 'euclidean')
    return {
      offset: unit * unit * squared,
      scale: unit * unit,
      slack: (dim + 64) * 2 ** -50 * squared + least,
    };
  const along =
    p.reduce((sum, value, d) => sum + value * ((mean[d] as number) / unit), 0) + meanLength * meanLength;
  return {
    offset: 1 - unit * unit * along,
    scale: (unit * unit) / 2,
    // Vectors were divided by their lengths, with errors relative to 1, not to the spread that units measure.
    slack: ((16 * dim + 256) * 2 ** -53) / (unit * unit) + least,
  };
}
