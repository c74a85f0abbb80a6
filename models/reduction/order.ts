import type { Pacer } from '../knn/pacer.ts';
import { at, type Vectors } from '../knn/vectors.ts';
import { squaredDistance } from './kernel.ts';

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
    const a = await farthestFrom(features, dim, rows, at(rows, 0), pacer);
    const b = await farthestFrom(features, dim, rows, a, pacer);
    const keys = await projections(features, dim, rows, a, b, pacer);
    const leaves = Math.ceil(rows.length / leaf);
    const middle = Math.ceil(leaves / 2) * leaf;
    partition(keys, rows, middle);
    open.push([start, start + middle], [start + middle, end]);
  }
}

async function farthestFrom(
  features: Vectors,
  dim: number,
  rows: Int32Array,
  from: number,
  pacer: Pacer,
): Promise<number> {
  let [best, far] = [from, -1];
  for (let s = 0; s < rows.length; s++) {
    const row = at(rows, s);
    const d = squaredDistance(features, row * dim, features, from * dim, dim);
    if (d > far) [best, far] = [row, d];
    if (pacer.due(dim)) await pacer.pause();
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
    (_, d) => at(features, b * dim + d) - at(features, a * dim + d),
  );
  const keys = new Float64Array(rows.length);
  for (let s = 0; s < rows.length; s++) {
    keys[s] = dot(features, at(rows, s) * dim, direction);
    if (pacer.due(dim)) await pacer.pause();
  }
  return keys;
}

function dot(features: Vectors, offset: number, direction: Float64Array): number {
  let sum = 0;
  for (let d = 0; d < direction.length; d++) sum += at(features, offset + d) * at(direction, d);
  return sum;
}

/** Hoare's selection: afterwards the `count` rows of smallest key come first. Keys that are no numbers stay anywhere. */
function partition(keys: Float64Array, rows: Int32Array, count: number): void {
  let [low, high] = [0, rows.length - 1];
  while (low < high) {
    const pivot = at(keys, (low + high) >> 1);
    let [i, j] = [low, high];
    while (i <= j) {
      while (at(keys, i) < pivot) i++;
      while (at(keys, j) > pivot) j--;
      if (i > j) break;
      const [key, row] = [at(keys, i), at(rows, i)];
      keys[i] = at(keys, j);
      rows[i] = at(rows, j);
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
