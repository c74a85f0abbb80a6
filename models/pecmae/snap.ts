import { squaredDistance } from '../numerics/distances.ts';
import { at } from '../numerics/vectors.ts';

/**
 * Moves every centre onto a row: its nearest one that no other centre has taken, in the order of the centres. With fewer
 * rows than centres, rows are shared once all are taken.
 * @param points `[n, dim]`; @param rows indices into `points` that may be chosen, at least one
 * @param centres `[k, dim]`; @param channels `[k, dim]` weights of their numbers in the distance, or null for 1
 * @returns `[k, dim]`, each row a copy of a row of `points`
 */
export function snapToRows(
  points: Float32Array,
  dim: number,
  rows: Int32Array,
  centres: Float32Array,
  channels: Float32Array | null = null,
): Float32Array {
  const out = new Float32Array(centres.length);
  const taken = new Set<number>();
  for (let c = 0; c < centres.length; c += dim) {
    if (taken.size === rows.length) taken.clear();
    let nearest = at(rows, 0);
    let smallest = Infinity;
    for (const row of rows) {
      if (taken.has(row)) continue;
      const distance = channels
        ? weightedDistance(points, row * dim, centres, channels, c, dim)
        : squaredDistance(points, row * dim, centres, c, dim);
      if (distance >= smallest) continue;
      smallest = distance;
      nearest = row;
    }
    taken.add(nearest);
    out.set(points.subarray(nearest * dim, (nearest + 1) * dim), c);
  }
  return out;
}

/** Σ w·(x − p)², of a row of `points` and the row of `centres` and `channels` at `c`. */
function weightedDistance(
  points: Float32Array,
  row: number,
  centres: Float32Array,
  channels: Float32Array,
  c: number,
  dim: number,
): number {
  let sum = 0;
  for (let e = 0; e < dim; e++) sum += at(channels, c + e) * (at(points, row + e) - at(centres, c + e)) ** 2;
  return sum;
}
