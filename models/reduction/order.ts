import type { Pacer } from '../numerics/pacer.ts';
import type { Vectors } from '../numerics/vectors.ts';
import { squaredDistanceInOrder } from '../numerics/distances.ts';

/** Rows looked at for two that are far apart: any will do, farther ones only divide better. */
const sample = 200;

/**
 * Orders rows in place so that neighbours in the order are neighbours in space: the set is halved at the median along
 * the line through two rows far apart, again and again, down to `leaf` rows. Sizes before the last are multiples of
 * `leaf`.
 */
export async function spatialOrder(
  features: Vectors,
  dim: number,
  order: Int32Array,
  leaf: number,
  pacer: Pacer,
): Promise<void> {
  const open: [number, number][] = [[0, order.length]];
  for (let range = open.pop(); range; range = open.pop()) {
    const [start, end] = range;
    if (end - start <= leaf) continue;
    const rows = order.subarray(start, end);
    const a = farthestFrom(features, dim, rows, rows[0] as number);
    const b = farthestFrom(features, dim, rows, a);
    const keys = await projections(features, dim, rows, a, b, pacer);
    const leaves = Math.ceil(rows.length / leaf);
    const middle = Math.ceil(leaves / 2) * leaf;
    partition(keys, rows, middle);
    open.push([start, start + middle], [start + middle, end]);
  }
}

function farthestFrom(features: Vectors, dim: number, rows: Int32Array, from: number): number {
  const step = Math.max(1, Math.floor(rows.length / sample));
  let [best, far] = [from, -1];
  for (let s = 0; s < rows.length; s += step) {
    const row = rows[s] as number;
    const d = squaredDistanceInOrder(features, row * dim, features, from * dim, dim);
    if (d > far) [best, far] = [row, d];
  }
  return best;
}

async function projections(
  features: Vectors,
  dim: number,
  rows: Int32Array,
  a: number,
  b: number,
  pacer: Pacer,
): Promise<Float64Array> {
  const direction = Float64Array.from(
    { length: dim },
    (_, d) => (features[b * dim + d] as number) - (features[a * dim + d] as number),
  );
  const keys = new Float64Array(rows.length);
  for (let s = 0; s < rows.length; s++) {
    keys[s] = dot(features, (rows[s] as number) * dim, direction);
    if (pacer.due(dim)) await pacer.pause();
  }
  return keys;
}

function dot(features: Vectors, offset: number, direction: Float64Array): number {
  let sum = 0;
  for (let d = 0; d < direction.length; d++)
    sum += (features[offset + d] as number) * (direction[d] as number);
  return sum;
}

/** Hoare's selection: afterwards the `count` rows of smallest key come first. Keys that are no numbers stay anywhere. */
function partition(keys: Float64Array, rows: Int32Array, count: number): void {
  let [low, high] = [0, rows.length - 1];
  while (low < high) {
    const pivot = keys[(low + high) >> 1] as number;
    let [i, j] = [low, high];
    while (i <= j) {
      while ((keys[i] as number) < pivot) i++;
      while ((keys[j] as number) > pivot) j--;
      if (i > j) break;
      const [key, row] = [keys[i] as number, rows[i] as number];
      keys[i] = keys[j] as number;
      rows[i] = rows[j] as number;
      keys[j] = key;
      rows[j] = row;
      i++;
      j--;
    }
    if (count - 1 <= j) high = j;
    else if (count - 1 >= i) low = i;
    else return;
  }
}
