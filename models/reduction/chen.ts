import type { Pacer } from '../knn/pacer.ts';
import { labelsetIds, type MultilabelSet } from '../knn/set.ts';
import { at } from '../knn/vectors.ts';
import { RowDistances } from './distances.ts';
import { FarthestPairs, type FarthestPair } from './farthest.ts';
import { Heap } from './heap.ts';
import { SplitPath, type CellOrder } from './splitPath.ts';

/** Share of the work that computing distances takes in reported progress. */
const distanceShare = 0.5;

interface Cell {
  id: number;
  start: number;
  end: number;
  pair: FarthestPair;
  /** Position in the dictionary order: later insertion, larger stamp. */
  stamp: number;
}

/**
 * Chen's splitting (Chen & Jóźwik 1996; multilabel: golden/multilabel/SPEC.md §3) to `cells` cells; `cellsAt` of the result then gives every smaller partition too.
 * The cell of largest diameter among those with several labelsets is split next (among all when none is left), the
 * first in dictionary order on ties; a split cell moves to the end of that order.
 * @throws the pacer's abort reason.
 */
export async function chenPath(
  data: MultilabelSet,
  cells: number,
  pacer: Pacer,
  onProgress?: (fraction: number) => void,
  distances = new RowDistances(data.features, data.count, data.dim),
  cellOrder: CellOrder = 'moved',
): Promise<SplitPath> {
  const { ids } = labelsetIds(data.labels, data.count, data.labelNames.length);
  const order = Int32Array.from({ length: data.count }, (_, row) => row);
  const splits = Math.min(Math.max(1, cells), data.count) - 1;
  const splitIds = new Int32Array(splits);
  const middles = new Int32Array(splits);
  if (splits === 0) return new SplitPath(order, splitIds, middles, cellOrder);

  await distances.keep(pacer, (fraction) => onProgress?.(fraction * distanceShare));
  const farthest = new FarthestPairs(distances, await distances.farthestBounds(pacer), pacer);

  const larger = (a: Cell, b: Cell): boolean =>
    a.pair.distance > b.pair.distance || (a.pair.distance === b.pair.distance && a.stamp < b.stamp);
  const mixed = new Heap<Cell>(larger);
  const uniform = new Heap<Cell>(larger);
  // Cells of one labelset only matter once no mixed cell is left, which for most sizes never happens.
  let waiting: Omit<Cell, 'pair'>[] = [];
  let stamp = 0;

  const add = async (id: number, start: number, end: number, place: number): Promise<void> => {
    const cell = { id, start, end, stamp: place };
    if (end - start < 2) return;
    const rows = order.subarray(start, end);
    const labelset = at(ids, at(rows, 0));
    if (rows.some((row) => at(ids, row) !== labelset)) mixed.push({ ...cell, pair: await farthest.of(rows) });
    else waiting.push(cell);
  };

  const choose = async (): Promise<Cell | undefined> => {
    if (mixed.size > 0) return mixed.pop();
    for (const cell of waiting)
      uniform.push({ ...cell, pair: await farthest.of(order.subarray(cell.start, cell.end)) });
    waiting = [];
    return uniform.pop();
  };

  let made = 0;
  // The first split takes the whole set, of one labelset or not.
  let cell: Cell | undefined = {
    id: 1,
    start: 0,
    end: data.count,
    stamp: stamp++,
    pair: await farthest.of(order),
  };
  while (cell !== undefined) {
    const { id, start, end, pair } = cell;
    const middle = start + (await farthest.split(order.subarray(start, end), pair));
    splitIds[made] = id;
    middles[made] = middle;
    made++;
    if (made === splits) break;
    await add(id, start, middle, cellOrder === 'kept' ? cell.stamp : stamp++);
    await add(made + 1, middle, end, stamp++);
    if (pacer.due(end - start)) {
      onProgress?.(distanceShare + (1 - distanceShare) * (made / splits));
      await pacer.pause();
    }
    cell = await choose();
  }
  return new SplitPath(order, splitIds.slice(0, made), middles.slice(0, made), cellOrder);
}
