import type { Pacer } from '../knn/pacer.ts';
import { labelsetIds, type MultilabelSet } from '../knn/set.ts';
import { at } from '../knn/vectors.ts';
import { RowDistances } from './distances.ts';
import { FarthestPairs } from './farthest.ts';
import { Heap } from './heap.ts';

/** Overlaps up to this count as none. */
const leastOverlap = 0.001;
/** Stands for an infinite overlap: rows of one labelset coincide, rows of different ones do not. */
const infiniteOverlap = Number.MAX_VALUE;

interface Cell {
  rows: Int32Array;
  /** What decides the next split: overlap, or the diameter in the fallback. */
  weight: number;
  stamp: number;
}

/**
 * Partition of MRSP2 as intended (`MRSP2fix` of golden/multilabel/SPEC.md §5): the cell of largest overlap is split,
 * overlap = mean distance of rows with different labelsets / mean distance of rows with equal ones, over the cell's
 * own rows. When no cell overlaps, the largest diameter is split. First in dictionary order on ties.
 * The published code computes the overlap on unrelated rows; that defect is not reproduced.
 * @throws the pacer's abort reason.
 */
export async function mrsp2Cells(
  data: MultilabelSet,
  cells: number,
  pacer: Pacer,
  onProgress?: (fraction: number) => void,
  distances = new RowDistances(data.features, data.count, data.dim),
): Promise<Int32Array[]> {
  const { ids } = labelsetIds(data.labels, data.count, data.labelNames.length);
  const all = Int32Array.from({ length: data.count }, (_, row) => row);
  const splits = Math.min(Math.max(1, cells), data.count) - 1;
  if (splits === 0) return [all];
  await distances.keep(pacer, (fraction) => onProgress?.(fraction / 2));
  const farthest = new FarthestPairs(distances, await distances.farthestBounds(pacer), pacer);

  const first = (a: Cell, b: Cell): boolean =>
    a.weight > b.weight || (a.weight === b.weight && a.stamp < b.stamp);
  const overlapping = new Heap<Cell>(first);
  const byDiameter = new Heap<Cell>(first);
  let waiting: Cell[] = [];
  const finished = new Map<number, Int32Array>();
  let stamp = 0;

  const add = async (rows: Int32Array): Promise<void> => {
    const cell = {
      rows,
      weight: rows.length < 2 ? 0 : await overlap(rows, ids, distances, pacer),
      stamp: stamp++,
    };
    finished.set(cell.stamp, rows);
    if (cell.weight > leastOverlap) overlapping.push(cell);
    else if (rows.length > 1) waiting.push(cell);
  };
  const choose = async (): Promise<Cell | undefined> => {
    if (overlapping.size > 0) return overlapping.pop();
    for (const cell of waiting) byDiameter.push({ ...cell, weight: (await farthest.of(cell.rows)).distance });
    waiting = [];
    return byDiameter.pop();
  };

  let cell: Cell | undefined = { rows: all, weight: 0, stamp: stamp++ };
  for (let made = 0; made < splits && cell !== undefined; made++) {
    finished.delete(cell.stamp);
    const middle = await farthest.split(cell.rows, await farthest.of(cell.rows));
    await add(cell.rows.subarray(0, middle));
    await add(cell.rows.subarray(middle));
    onProgress?.(0.5 + made / splits / 2);
    if (made + 1 < splits) cell = await choose();
  }
  return [...finished.values()].filter((rows) => rows.length > 0);
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
  if (different === 0 || equal === 0) return 0;
  if (equalSum === 0) return differentSum === 0 ? 0 : infiniteOverlap;
  return differentSum / different / (equalSum / equal);
}
