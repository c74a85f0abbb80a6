import { PrototypeError } from './errors.ts';

/** Two scalars that bring embeddings to a common size: x' = (x − mean) / scale. */
export interface Normalisation {
  mean: number;
  scale: number;
}

/**
 * The normalisation of the reference code (FORMATS.md §d): mean of all numbers, and twice the mean over rows of
 * each row's population standard deviation, which leaves a typical row with a deviation of ½.
 * @param embeddings [n, dim] row-major, finite.
 * @throws PrototypeError `not-finite` naming the first bad row, `shape` when all rows are constant.
 */
export function normalisationOf(embeddings: Float32Array, count: number, dim: number): Normalisation {
  let sumOfMeans = 0;
  let sumOfDeviations = 0;
  for (let row = 0; row < count; row++) {
    const values = embeddings.subarray(row * dim, (row + 1) * dim);
    let sum = 0;
    for (const value of values) sum += value;
    const mean = sum / dim;
    let squares = 0;
    for (const value of values) squares += (value - mean) ** 2;
    if (!Number.isFinite(squares)) {
      throw new PrototypeError(
        'not-finite',
        `embedding ${row} holds a value that is not a finite number`,
        'Compute the embedding of that window again.',
      );
    }
    sumOfMeans += mean;
    sumOfDeviations += Math.sqrt(squares / dim);
  }
  const scale = (2 * sumOfDeviations) / count;
  if (!(scale > 0)) {
    throw new PrototypeError(
      'shape',
      'every embedding is constant',
      'Check the pack that made the embeddings.',
    );
  }
  return { mean: sumOfMeans / count, scale };
}

/** x' = (x − mean) / scale, elementwise, in float64, rounded once. */
export function normalise(values: Float32Array, { mean, scale }: Normalisation): Float32Array {
  return values.map((value) => (value - mean) / scale);
}
