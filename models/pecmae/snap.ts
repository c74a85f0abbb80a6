import { squaredDistance } from '../numerics/distances.ts';
import { at } from '../numerics/vectors.ts';

/**
 * Moves every centre onto a row: its nearest one that no other centre has taken, in the order of the centres. With fewer
 * rows than centres, rows are shared once all are taken.
 * @param points `[n, dim]`; @param rows indices into `points` that may be chosen, at least one
 * @param centres `[k, dim]`; @returns `[k, dim]`, each row a copy of a row of `points`
 */
export function snapToRows(
  points: Float32Array,
  dim: number,
  rows: Int32Array,
  centres: Float32Array,
): Float32Array {
  const out = new Float32Array(centres.length);
  const taken = new Set<number>();
  for (let c = 0; c < centres.length; c += dim) {
    if (taken.size === rows.length) taken.clear();
    let nearest = at(rows, 0);
    let smallest = Infinity;
    for (const row of rows) {
      const distance = taken.has(row) ? Infinity : squaredDistance(points, row * dim, centres, c, dim);
      if (distance >= smallest) continue;
      smallest = distance;
      nearest = row;
    }
    taken.add(nearest);
    out.set(points.subarray(nearest * dim, (nearest + 1) * dim), c);
  }
  return out;
}
