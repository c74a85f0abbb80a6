import type { Pacer } from '../numerics/pacer.ts';
import { at } from '../numerics/vectors.ts';
import type { Modality } from './kinds.ts';

/** One modality into the common space: z = (x − mean) matrix, of length 1. */
export interface ModalityProjection {
  /** `[D]` */
  mean: Float32Array;
  /** `[D, dim]` */
  matrix: Float32Array;
}

/** A common space: what leads into it from each modality, and the class vectors, which are its prototypes. */
export interface SharedModel {
  dim: number;
  projections: Partial<Record<Modality, ModalityProjection>>;
  /** `[classes, dim]`, each of length 1. */
  prototypes: Float32Array;
}

/** Rows `[n, D]` in the common space, `[n, dim]`, each of length 1; a row at the mean is all 0. */
export function place({ mean, matrix }: ModalityProjection, rows: Float32Array): Float32Array {
  const inputs = mean.length;
  const dim = matrix.length / Math.max(1, inputs);
  const count = rows.length / Math.max(1, inputs);
  const out = new Float32Array(count * dim);
  const sum = new Float64Array(dim);
  for (let row = 0; row < count; row++) {
    sum.fill(0);
    for (let k = 0; k < inputs; k++) {
      const value = at(rows, row * inputs + k) - at(mean, k);
      for (let d = 0; d < dim; d++) sum[d] = at(sum, d) + value * at(matrix, k * dim + d);
    }
    let squares = 0;
    for (const value of sum) squares += value * value;
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let d = 0; d < dim; d++) out[row * dim + d] = at(sum, d) * scale;
  }
  return out;
}

/** Rows that are placed between two looks at the clock. */
const TOGETHER = 32;

/** {@link place} of as many rows as a library has, with pauses. @throws the signal's reason */
export async function placeAll(
  projection: ModalityProjection,
  rows: Float32Array,
  pacer: Pacer,
): Promise<Float32Array> {
  const inputs = Math.max(1, projection.mean.length);
  const dim = projection.matrix.length / inputs;
  const count = rows.length / inputs;
  const out = new Float32Array(count * dim);
  for (let from = 0; from < count; from += TOGETHER) {
    const some = rows.subarray(from * inputs, (from + TOGETHER) * inputs);
    out.set(place(projection, some), from * dim);
    if (pacer.due(2 * some.length * dim)) await pacer.pause();
  }
  return out;
}

/** Cosine of two rows of unit length. */
export function cosine(a: Float32Array, i: number, b: Float32Array, j: number, dim: number): number {
  let sum = 0;
  for (let d = 0; d < dim; d++) sum += at(a, i * dim + d) * at(b, j * dim + d);
  return sum;
}
