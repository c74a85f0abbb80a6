import { PCA } from 'ml-pca';
import { NumericError } from '../numerics/errors.ts';
import { Pacer } from '../numerics/pacer.ts';
import { asRows, checkFiniteRows, partsOf, type Rows } from '../neighbours/rows.ts';
import { Random } from '../numerics/random.ts';
import { covariance, multiplyBlock, orthonormalise, type Moments } from './covariance.ts';
import type { ProjectOptions, Projection } from './types.ts';

/** Rows the axes are fitted on at most; all rows are projected. */
const fitRows = 5000;
/** Up to this many dimensions ml-pca solves the whole covariance at once (a few milliseconds). */
const wholeDim = 48;
/** Vectors iterated together for wider data; only the first two are used. */
const blockWidth = 16;
const maxIterations = 200;
/** The axes are looked at once in so many iterations. */
const lookEvery = 5;
/** Iteration ends when the two axes turn by less than this (sine of the angle) between two looks. */
const tolerance = 1e-8;

/** A fitted plane; any vector of the same space can be placed on it exactly. */
export class PcaProjection {
  readonly mean: Float64Array;
  /** Two rows of `[dim]`, orthonormal, the entry of largest magnitude positive. */
  readonly axes: readonly [Float64Array, Float64Array];
  /** Share of the variance along each axis, 0..1; 0 for constant data. */
  readonly explained: readonly [number, number];

  constructor(
    mean: Float64Array,
    axes: readonly [Float64Array, Float64Array],
    explained: readonly [number, number],
  ) {
    this.mean = mean;
    this.axes = axes;
    this.explained = explained;
  }

  /** Coordinates of vectors, `[n, dim]` or rows: the data of the fit, or prototypes added later. @throws NumericError `shape`. */
  async project(vectors: Float32Array | Rows, options: ProjectOptions = {}): Promise<Projection> {
    const dim = this.mean.length;
    const all = asRows(vectors, dim);
    if (all.dim !== dim || !Number.isInteger(all.count))
      throw new NumericError(
        'shape',
        `${all.count * all.dim} values are no rows of ${dim}.`,
        'Use the same pack.',
      );
    const pacer = new Pacer(options.signal);
    const x = new Float32Array(all.count);
    const y = new Float32Array(all.count);
    const [first, second] = this.axes;
    for (const [start, part] of partsOf(all)) {
      for (let row = 0; row < part.length / dim; row++) {
        let a = 0;
        let b = 0;
        for (let d = 0; d < dim; d++) {
          const value = (part[row * dim + d] as number) - (this.mean[d] as number);
          a += value * (first[d] as number);
          b += value * (second[d] as number);
        }
        x[start + row] = a;
        y[start + row] = b;
        if (pacer.due(2 * dim)) await pacer.pause();
      }
    }
    return { x, y };
  }
}

/**
 * Fits the two principal axes. Deterministic: more than 5000 rows are fitted on every ⌈n / 5000⌉-th one, signs are
 * fixed by the largest loading. One row or constant data give axes of length 0, so that every point lands at (0, 0);
 * data along one line has y = 0.
 *
 * The eigen-problem is ml-pca's; beyond 48 dimensions it is first shrunk by blocked subspace iteration with
 * Rayleigh–Ritz, because solving it whole would block the process for seconds.
 * @param vectors rows, or `[n, dim]`; n ≥ 1, finite.
 * @throws NumericError `empty`, `shape`, `not-finite`; the signal's reason.
 */
export async function fitPca(
  vectors: Float32Array | Rows,
  dim: number,
  options: ProjectOptions = {},
): Promise<PcaProjection> {
  const pacer = new Pacer(options.signal);
  const all = asRows(vectors, dim);
  if (!Number.isInteger(dim) || dim < 1 || all.dim !== dim || !Number.isInteger(all.count))
    throw new NumericError(
      'shape',
      `${all.count * all.dim} values are no rows of ${dim}.`,
      'Check the dimension.',
    );
  if (all.count === 0)
    throw new NumericError('empty', 'There is nothing to project.', 'Import some tracks first.');
  await checkFiniteRows(all, pacer, 'The projection');
  const moments = await covariance(all, fitRows, pacer, options.onProgress);
  const none = new Float64Array(dim);
  if (moments.total === 0) return new PcaProjection(moments.mean, [none, none], [0, 0]);
  const basis = dim <= wholeDim ? null : await subspace(moments, pacer);
  const { vectors: axes, values } = solve(moments, basis);
  const pick = (i: number): Float64Array => {
    const axis = axes[i];
    // A direction without variance says nothing; leaving it out keeps rounding noise off the map.
    return axis && (values[i] as number) > moments.total * 1e-12 ? withSign(axis) : none;
  };
  const share = (i: number): number => Math.max(0, (values[i] ?? 0) / moments.total);
  return new PcaProjection(moments.mean, [pick(0), pick(1)], [share(0), share(1)]);
}

/** Eigenvectors (largest first) of the covariance, or of its restriction to the rows of `basis`. */
function solve(
  moments: Moments,
  basis: Float64Array[] | null,
): { vectors: Float64Array[]; values: number[] } {
  const { dim, matrix } = moments;
  const small = basis
    ? multiplyBlock(matrix, dim, basis).map((image) => basis.map((vector) => dot(vector, image)))
    : Array.from({ length: dim }, (_, row) => Array.from(matrix.subarray(row * dim, (row + 1) * dim)));
  const pca = new PCA(small, { isCovarianceMatrix: true });
  const loadings = pca.getEigenvectors().to2DArray();
  const values = pca.getEigenvalues();
  const width = small.length;
  const vectors = Array.from({ length: width }, (_, i) => {
    const own = Float64Array.from({ length: width }, (_unused, row) => loadings[row]?.[i] ?? NaN);
    if (!basis) return own;
    const lifted = new Float64Array(dim);
    basis.forEach((vector, b) =>
      vector.forEach((value, d) => (lifted[d] = (lifted[d] as number) + value * (own[b] as number))),
    );
    return lifted;
  });
  return { vectors, values };
}

/** An orthonormal basis whose span holds the leading eigenvectors. */
async function subspace(moments: Moments, pacer: Pacer): Promise<Float64Array[]> {
  const { dim, matrix } = moments;
  const random = new Random(1);
  let basis = orthonormalise(
    Array.from({ length: blockWidth }, () => Float64Array.from({ length: dim }, () => random.normal())),
  );
  let axes = solve(moments, basis).vectors.slice(0, 2);
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    basis = orthonormalise(multiplyBlock(matrix, dim, basis));
    if (pacer.due(dim * dim * blockWidth)) await pacer.pause();
    if (iteration % lookEvery !== lookEvery - 1) continue;
    const next = solve(moments, basis).vectors.slice(0, 2);
    const turned = Math.max(...next.map((axis, i) => sineBetween(axis, axes[i] ?? axis)));
    axes = next;
    if (turned < tolerance) break;
  }
  return basis;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

/** Sine of the angle between unit vectors, accurate for small angles where `1 − cos` is all rounding. */
function sineBetween(a: Float64Array, b: Float64Array): number {
  const along = dot(a, b);
  return Math.sqrt(a.reduce((sum, value, i) => sum + (value - along * (b[i] as number)) ** 2, 0));
}

function withSign(axis: Float64Array): Float64Array {
  let largest = 0;
  for (const value of axis) if (Math.abs(value) > Math.abs(largest)) largest = value;
  return largest < 0 ? axis.map((value) => -value) : axis;
}
