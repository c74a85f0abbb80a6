import { squaredDistanceInOrder } from './distances.ts';
import { lloyd } from './lloyd.ts';
import type { Pacer } from './pacer.ts';
import type { Random } from './random.ts';
import { at, type Vectors } from './vectors.ts';

/** Spread given to a centre that would repeat another one, in units of the normalised space (deviation ½). */
const jitter = 0.01;

/** How {@link kMeans} ends, and what becomes of centres beyond the number of distinct rows. */
export interface KMeansOptions {
  /**
   * `repeat`: they repeat rows, and their clusters stay empty. `jitter`: they are copies of other centres with a small
   * seeded jitter, so that training can tell them apart.
   */
  surplus: 'repeat' | 'jitter';
  /** As of {@link lloyd}. */
  maxIterations?: number;
  tolerance?: number;
}

/**
 * k-means in float64: k-means++ seeding (Arthur & Vassilvitskii 2007: every next centre is a row drawn in proportion
 * to its squared distance), then {@link lloyd}.
 * @param points `[n, dim]`, n ≥ 1
 * @returns `centres` `[k, dim]`, and the cluster of every row.
 * @throws the pacer's abort reason.
 */
export async function kMeans(
  points: Float64Array,
  dim: number,
  k: number,
  random: Random,
  pacer: Pacer,
  { surplus, ...options }: KMeansOptions,
): Promise<{ centres: Float64Array; clusters: Int32Array }> {
  const { centres, distinct } = await spreadCentres(points, dim, k, random, pacer, surplus);
  const active = centres.subarray(0, distinct * dim);
  const clusters = await lloyd(points, dim, active, pacer, options);
  for (let extra = distinct; extra < k; extra++) {
    const from = (extra % distinct) * dim;
    for (let d = 0; d < dim; d++) centres[extra * dim + d] = at(active, from + d) + jitter * random.normal();
  }
  return { centres, clusters };
}

/** The rows `members` of `points` `[n, dim]` as float64, one after the other. */
export function gatherRows(points: Vectors, dim: number, members: ArrayLike<number>): Float64Array {
  const data = new Float64Array(members.length * dim);
  for (let i = 0; i < members.length; i++) {
    const row = at(members, i);
    data.set(points.subarray(row * dim, (row + 1) * dim), i * dim);
  }
  return data;
}

/** @returns `[k, dim]`, of which `distinct` are placed: fewer than `k` only where surplus centres get a jitter. */
async function spreadCentres(
  points: Float64Array,
  dim: number,
  k: number,
  random: Random,
  pacer: Pacer,
  surplus: KMeansOptions['surplus'],
): Promise<{ centres: Float64Array; distinct: number }> {
  const n = points.length / dim;
  const centres = new Float64Array(k * dim);
  const nearest = new Float64Array(n).fill(Infinity);
  let chosen = random.integer(n);
  for (let c = 0; c < k; c++) {
    centres.set(points.subarray(chosen * dim, (chosen + 1) * dim), c * dim);
    let total = 0;
    for (let row = 0; row < n; row++) {
      const d = squaredDistanceInOrder(points, row * dim, centres, c * dim, dim);
      if (d < at(nearest, row)) nearest[row] = d;
      total += at(nearest, row);
      if (pacer.due(dim)) await pacer.pause();
    }
    if (total === 0 && surplus === 'jitter') return { centres, distinct: c + 1 };
    let left = random.uniform() * total;
    chosen = nearest.findIndex((d) => (left -= d) < 0);
    // All rows coincide with a centre, or rounding left a crumb behind the last row: then the farthest is as good.
    if (chosen < 0) chosen = total === 0 ? random.integer(n) : indexOfLargest(nearest);
  }
  return { centres, distinct: k };
}

function indexOfLargest(values: Float64Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (at(values, i) > at(values, best)) best = i;
  return best;
}
