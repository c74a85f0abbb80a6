import type { Pacer } from '../knn/pacer.ts';
import { labelsetIds, type MultilabelSet } from '../knn/set.ts';
import { at } from '../knn/vectors.ts';
import { RowDistances } from './distances.ts';
import { FarthestPairs } from './farthest.ts';
import { Heap } from './heap.ts';
import { SplitPath } from './splitPath.ts';

/** Overlaps up to this count as none. */
export const leastOverlap = 0.001;
/** Stands for an infinite overlap: rows of one labelset coincide, rows of different ones do not. */
const infiniteOverlap = Number.MAX_VALUE;

interface Cell {
  id: number;
  start: number;
  end: number;
  /** What decides the next split: overlap, or the diameter in the fallback. */
  weight: number;
  stamp: number;
}

/**
 * MRSP2 as intended (`MRSP2fix` of golden/multilabel/SPEC.md §5) to `cells` cells: the cell of largest overlap is
 * split, overlap = mean distance of rows with different labelsets / mean distance of rows with equal ones, over the
 * cell's own rows. When no cell overlaps, the largest diameter is split. First in order on ties.
 * The published code computes the overlap on unrelated rows; for that see `mrsp2Reference.ts`.
 * @throws the pacer's abort reason.
 */
export async function mrsp2Path(
  data: MultilabelSet,
  cells: number,
  pacer: Pacer,
  onProgress?: (fraction: number) => void,
  distances = new RowDistances(data.features, data.count, data.dim),
): Promise<SplitPath> {
  const { ids } = labelsetIds(data.labels, data.count, data.labelNames.length);
  const order = Int32Array.from({ length: data.count }, (_, row) => row);
  const splits = Math.min(Math.max(1, cells), data.count) - 1;
  const splitIds = new Int32Array(splits);
  const middles = new Int32Array(splits);
  if (splits === 0) return new SplitPath(order, splitIds, middles);
  await distances.keep(pacer, (fraction) => onProgress?.(fraction / 2));
  const farthest = new FarthestPairs(distances, await distances.farthestBounds(pacer), pacer);

  const first = (a: Cell, b: Cell): boolean =>
    a.weight > b.weight || (a.weight === b.weight && a.stamp < b.stamp);
  const overlapping = new Heap<Cell>(first);
  const byDiameter = new Heap<Cell>(first);
  let waiting: Cell[] = [];
  let stamp = 0;

  const add = async (id: number, start: number, end: number): Promise<void> => {
    const rows = order.subarray(start, end);
    const weight = rows.length < 2 ? 0 : await overlap(rows, ids, distances, pacer);
    const cell = { id, start, end, weight, stamp: stamp++ };
    if (cell.weight > leastOverlap) overlapping.push(cell);
    else if (rows.length > 1) waiting.push(cell);
  };
  const choose = async (): Promise<Cell | undefined> => {
    if (overlapping.size > 0) return overlapping.pop();
    for (const cell of waiting)
      byDiameter.push({
        ...cell,
        weight: (await farthest.of(order.subarray(cell.start, cell.end))).distance,
      });
    waiting = [];
    return byDiameter.pop();
  };

  let made = 0;
  let cell: Cell | undefined = { id: 1, start: 0, end: data.count, weight: 0, stamp: stamp++ };
  while (cell !== undefined) {
    const { id, start, end } = cell;
    const rows = order.subarray(start, end);
    const middle = start + (await farthest.split(rows, await farthest.of(rows)));
    splitIds[made] = id;
    middles[made] = middle;
    made++;
    onProgress?.(0.5 + made / splits / 2);
    if (made === splits) break;
    await add(id, start, middle);
    await add(made + 1, middle, end);
    cell = await choose();
  }
  return new SplitPath(order, splitIds.slice(0, made), middles.slice(0, made));
}

async function overlap(
  rows: Int32Array,
  ids: Int32Array,
  distances: RowDistances,
  pacer: Pacer,
): Promise<number> {
  let differentSum = 0;
  let different = 0;
  let equalSum = 0;
  let equal = 0;
  for (let a = 0; a < rows.length; a++) {
    const row = at(rows, a);
    const id = at(ids, row);
    for (let b = a + 1; b < rows.length; b++) {
      const other = at(rows, b);
      const d = distances.between(row, other);
      if (at(ids, other) === id) {
        equalSum += d;
        equal++;
      } else {
        differentSum += d;
        different++;
      }
      if (pacer.due(distances.cost)) await pacer.pause();
    }
  }
  return overlapOf(differentSum, different, equalSum, equal);
}

/** Overlap from sums and counts of distances between rows of different and of equal labelsets. */
export function overlapOf(differentSum: number, different: number, equalSum: number, equal: number): number {
  if (different === 0 || equal === 0) return 0;
  if (equalSum === 0) return differentSum === 0 ? 0 : infiniteOverlap;
  return differentSum / different / (equalSum / equal);
}
