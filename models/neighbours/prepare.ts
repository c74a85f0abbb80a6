import type { Pacer } from '../knn/pacer.ts';
import type { Metric } from '../knn/nearest.ts';
import { at } from '../knn/vectors.ts';

/** Rows per matrix product: 8192 × 256 queries are 8 MB of scores. */
const blockRows = 8192;

/** A slice of the index in the form the search graph takes. */
export interface Block {
  first: number;
  count: number;
  /** `[count, dim]`: centred (euclidean) or scaled to length 1 (cosine). */
  rows: Float32Array;
  /** `[count]`: what to add to the product so that scores order like distances. */
  offset: Float32Array;
}

/** Mean of the rows, float64. Distances do not change when it is subtracted; rounding errors shrink a lot. */
export async function meanRow(vectors: Float32Array, dim: number, pacer: Pacer): Promise<Float64Array> {
  const count = vectors.length / dim;
  const mean = new Float64Array(dim);
  for (let row = 0; row < count; row++) {
    for (let d = 0; d < dim; d++) mean[d] = at(mean, d) + at(vectors, row * dim + d) / count;
    if (pacer.due(dim)) await pacer.pause();
  }
  return mean;
}

/** Writes one prepared row; returns its squared length after rounding to float32. */
export function prepareRow(
  source: Float32Array,
  offset: number,
  mean: Float64Array,
  metric: Metric,
  out: Float32Array,
  outOffset: number,
): number {
  const dim = mean.length;
  let scale = 1;
  if (metric === 'cosine') {
    let length = 0;
    for (let d = 0; d < dim; d++) length += at(source, offset + d) ** 2;
    scale = length === 0 ? 0 : 1 / Math.sqrt(length);
  }
  let squared = 0;
  for (let d = 0; d < dim; d++) {
    const value = Math.fround(
      metric === 'cosine' ? at(source, offset + d) * scale : at(source, offset + d) - at(mean, d),
    );
    out[outOffset + d] = value;
    squared += value * value;
  }
  return squared;
}

/** Cuts the vectors into prepared blocks; `radius` is the largest length of a prepared row. */
export async function prepareBlocks(
  vectors: Float32Array,
  mean: Float64Array,
  metric: Metric,
  pacer: Pacer,
): Promise<{ blocks: Block[]; radius: number }> {
  const dim = mean.length;
  const count = vectors.length / dim;
  const blocks: Block[] = [];
  let radius = 0;
  for (let first = 0; first < count; first += blockRows) {
    const size = Math.min(blockRows, count - first);
    const rows = new Float32Array(size * dim);
    const offset = new Float32Array(size);
    for (let i = 0; i < size; i++) {
      const squared = prepareRow(vectors, (first + i) * dim, mean, metric, rows, i * dim);
      if (metric === 'euclidean') offset[i] = squared;
      radius = Math.max(radius, Math.sqrt(squared));
      if (pacer.due(2 * dim)) await pacer.pause();
    }
    blocks.push({ first, count: size, rows, offset });
  }
  return { blocks, radius };
}
