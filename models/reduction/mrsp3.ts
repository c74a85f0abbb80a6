import type { Pacer } from '../knn/pacer.ts';
import type { MultilabelSet } from '../knn/set.ts';
import { RowDistances } from './distances.ts';
import { shareLabel } from './emit.ts';
import { FarthestPairs } from './farthest.ts';

/**
 * Partition of MRSP3 (golden/multilabel/SPEC.md §6): clusters are halved by their farthest pair until all rows of
 * each share a label. Rows without labels share none and end up alone. Order is the reference's stack order.
 * @throws the pacer's abort reason.
 */
export async function mrsp3Cells(
  data: MultilabelSet,
  pacer: Pacer,
  onProgress?: (fraction: number) => void,
  distances = new RowDistances(data.features, data.count, data.dim),
): Promise<Int32Array[]> {
  const rows = Int32Array.from({ length: data.count }, (_, row) => row);
  // One row has no pair to split by: it is its own prototype.
  if (data.count === 1) return [rows];
  await distances.keep(pacer, (fraction) => onProgress?.(fraction / 2));
  const farthest = new FarthestPairs(distances, await distances.farthestBounds(pacer), pacer);
  const done: Int32Array[] = [];
  let settled = 0;
  const stack: Int32Array[] = [rows];
  for (let cell = stack.pop(); cell !== undefined; cell = stack.pop()) {
    for (const half of await halves(cell, farthest)) {
      if (half.length === 1 || shareLabel(data.labels, data.labelNames.length, half)) {
        done.push(half);
        settled += half.length;
      } else stack.push(half);
    }
    if (pacer.due(cell.length * data.labelNames.length)) {
      onProgress?.(0.5 + settled / data.count / 2);
      await pacer.pause();
    }
  }
  return done;
}

async function halves(cell: Int32Array, farthest: FarthestPairs): Promise<[Int32Array, Int32Array]> {
  if (cell.length === 2) return [cell.subarray(0, 1), cell.subarray(1)];
  const pair = await farthest.of(cell);
  // Identical rows cannot be told apart by distance: the last one is set aside so that splitting ends.
  const middle = pair.distance === 0 ? cell.length - 1 : await farthest.split(cell, pair);
  return [cell.subarray(0, middle), cell.subarray(middle)];
}
