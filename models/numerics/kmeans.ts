import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Random } from './random.ts';

const MAX_ITERATIONS = 50;
/** Spread given to a centroid that would repeat another one, in units of the normalised space (deviation ½). */
const JITTER = 0.01;

/**
 * k-means in float64: k-means++ seeding, then Lloyd's iterations until no row changes its cluster (at most 50).
 * A cluster that loses all rows restarts at the row farthest from its centroid.
 *
 * With fewer distinct rows than `k`, the surplus centroids are copies with a small seeded jitter, so that training
 * can tell them apart.
 * @param rows indices into `points` [n, dim]; at least one.
 * @returns [k, dim], float32.
 */
export async function kMeans(
  points: Float32Array,
  dim: number,
  rows: Int32Array,
  k: number,
  random: Random,
  signal: AbortSignal,
): Promise<Float32Array> {
  const data = new Float64Array(rows.length * dim);
  rows.forEach((row, i) => data.set(points.subarray(row * dim, (row + 1) * dim), i * dim));
  const { centroids, distinct } = plusPlus(data, dim, k, random);
  const active = centroids.subarray(0, distinct * dim);
  const owner = new Int32Array(rows.length).fill(-1);
  for (let iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
    const { changed, distances } = assign(data, dim, active, owner);
    if (changed === 0) break;
    update(data, dim, active, owner, distances);
    await nextTurn();
    signal.throwIfAborted();
  }
  for (let extra = distinct; extra < k; extra++) {
    const copied = active.subarray((extra % distinct) * dim, ((extra % distinct) + 1) * dim);
    centroids.set(
      copied.map((value) => value + JITTER * random.normal()),
      extra * dim,
    );
  }
  return Float32Array.from(centroids);
}

/** Arthur, Vassilvitskii 2007: each further centre is a row drawn with probability proportional to its squared distance. */
function plusPlus(
  data: Float64Array,
  dim: number,
  k: number,
  random: Random,
): { centroids: Float64Array; distinct: number } {
  const n = data.length / dim;
  const centroids = new Float64Array(k * dim);
  const nearest = new Float64Array(n).fill(Infinity);
  let chosen = random.integer(n);
  for (let c = 0; c < k; c++) {
    centroids.set(data.subarray(chosen * dim, (chosen + 1) * dim), c * dim);
    let total = 0;
    for (let i = 0; i < n; i++) {
      nearest[i] = Math.min(nearest[i] ?? 0, squaredDistance(data, i * dim, centroids, c * dim, dim));
      total += nearest[i] ?? 0;
    }
    if (total === 0) return { centroids, distinct: c + 1 };
    let left = random.uniform() * total;
    chosen = nearest.findIndex((distance) => (left -= distance) < 0);
    // Rounding can leave a crumb behind the last row: the farthest row is then as good a draw.
    if (chosen < 0) chosen = indexOfLargest(nearest);
  }
  return { centroids, distinct: k };
}

function assign(
  data: Float64Array,
  dim: number,
  centroids: Float64Array,
  owner: Int32Array,
): { changed: number; distances: Float64Array } {
  const distances = new Float64Array(owner.length);
  let changed = 0;
  for (let i = 0; i < owner.length; i++) {
    let best = 0;
    let bestDistance = Infinity;
    for (let c = 0; c * dim < centroids.length; c++) {
      const distance = squaredDistance(data, i * dim, centroids, c * dim, dim);
      if (distance < bestDistance) {
        best = c;
        bestDistance = distance;
      }
    }
    if (owner[i] !== best) changed += 1;
    owner[i] = best;
    distances[i] = bestDistance;
  }
  return { changed, distances };
}

function update(
  data: Float64Array,
  dim: number,
  centroids: Float64Array,
  owner: Int32Array,
  distances: Float64Array,
): void {
  const sums = new Float64Array(centroids.length);
  const counts = new Float64Array(centroids.length / dim);
  owner.forEach((c, i) => {
    counts[c] = (counts[c] ?? 0) + 1;
    for (let d = 0; d < dim; d++) sums[c * dim + d] = (sums[c * dim + d] ?? 0) + (data[i * dim + d] ?? 0);
  });
  counts.forEach((count, c) => {
    if (count > 0) {
      for (let d = 0; d < dim; d++) centroids[c * dim + d] = (sums[c * dim + d] ?? 0) / count;
      return;
    }
    const farthest = indexOfLargest(distances);
    distances[farthest] = 0;
    centroids.set(data.subarray(farthest * dim, (farthest + 1) * dim), c * dim);
  });
}

function indexOfLargest(values: Float64Array): number {
  let best = 0;
  values.forEach((value, i) => {
    if (value > (values[best] ?? 0)) best = i;
  });
  return best;
}

function squaredDistance(a: Float64Array, atA: number, b: Float64Array, atB: number, dim: number): number {
  let sum = 0;
  for (let d = 0; d < dim; d++) {
    const difference = (a[atA + d] ?? 0) - (b[atB + d] ?? 0);
    sum += difference * difference;
  }
  return sum;
}
