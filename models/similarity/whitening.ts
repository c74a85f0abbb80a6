import { PCA } from 'ml-pca';
import { rowsInMemory } from '../neighbours/rows.ts';
import { Pacer } from '../numerics/pacer.ts';
import { Random } from '../numerics/random.ts';
import { at } from '../numerics/vectors.ts';
import { covariance, multiplyBlock, orthonormalise } from '../projection/covariance.ts';

const FIT_ROWS = 5000;
/** Directions iterated beside those that are wanted, so that the last of these settle. */
const SPARE = 8;
const ROUNDS = 15;

/** Principal axes, each in units of its deviation. */
export interface Whitening {
  mean: Float64Array;
  /** `[d]` rows of `[D]`, each divided by the deviation along it. */
  axes: Float64Array[];
}

/**
 * PCA-whitening onto the `width` strongest directions, by subspace iteration: what a learned projection is held against,
 * since loud directions that say nothing are quieted by either.
 * @param vectors `[n, dim]` · @throws the signal's reason
 */
export async function fitWhitening(
  vectors: Float32Array,
  dim: number,
  width: number,
  signal?: AbortSignal,
): Promise<Whitening> {
  const pacer = new Pacer(signal);
  const { mean, matrix, total } = await covariance(rowsInMemory(vectors, dim), FIT_ROWS, pacer);
  const random = new Random(1);
  let basis = orthonormalise(
    Array.from({ length: Math.min(dim, width + SPARE) }, () =>
      Float64Array.from({ length: dim }, () => random.normal()),
    ),
  );
  for (let round = 0; round < ROUNDS; round++) {
    basis = orthonormalise(multiplyBlock(matrix, dim, basis));
    await pacer.pause();
  }
  if (basis.length === 0) return { mean, axes: [] };
  const image = multiplyBlock(matrix, dim, basis);
  const small = image.map((vector) => basis.map((own) => dot(own, vector)));
  const pca = new PCA(small, { isCovarianceMatrix: true });
  const loadings = pca.getEigenvectors().to2DArray();
  const axes = pca.getEigenvalues().flatMap((value, i) => {
    // What does not vary must not become loud.
    if (i >= width || value <= total * 1e-9) return [];
    const axis = new Float64Array(dim);
    basis.forEach((own, b) => {
      const share = (loadings[b]?.[i] ?? 0) / Math.sqrt(value);
      for (let d = 0; d < dim; d++) axis[d] = at(axis, d) + share * at(own, d);
    });
    return [axis];
  });
  return { mean, axes };
}

/** Rows `[n, dim]` along the axes, `[n, d]`. */
export function whiten({ mean, axes }: Whitening, rows: Float32Array): Float32Array {
  const dim = mean.length;
  const count = rows.length / dim;
  const out = new Float32Array(count * axes.length);
  for (let row = 0; row < count; row++)
    axes.forEach((axis, i) => {
      let sum = 0;
      for (let d = 0; d < dim; d++) sum += (at(rows, row * dim + d) - at(mean, d)) * at(axis, d);
      out[row * axes.length + i] = sum;
    });
  return out;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += at(a, d) * at(b, d);
  return sum;
}
