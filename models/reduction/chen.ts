import { ReductionError } from '../knn/errors.ts';
import type { Pacer } from '../knn/pacer.ts';
import { labelsetIds, type MultilabelSet } from '../knn/set.ts';
import { at } from '../knn/vectors.ts';
import { RowDistances } from './distances.ts';
import { FarthestPairs, type FarthestPair } from './farthest.ts';
import { Heap } from './heap.ts';

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
 * Every partition Chen's splitting (Chen & Jóźwik 1996, multilabel: golden/multilabel/SPEC.md §3) passes through on
 * its way to `cells` cells: the partition of any smaller size is a prefix of the same run. Memory is O(rows).
 */
export class ChenPath {
  /** Number of splits made, wasted ones included. */
  readonly steps: number;
  readonly #order: Int32Array;
  readonly #splitIds: Int32Array;
  readonly #middles: Int32Array;

  constructor(order: Int32Array, splitIds: Int32Array, middles: Int32Array) {
    this.#order = order;
    this.#splitIds = splitIds;
    this.#middles = middles;
    this.steps = splitIds.length;
  }

  /**
   * The partition after `cells − 1` splits, in the dictionary order of the reference, rows ascending. It may hold
   * fewer cells: identical rows with different labelsets are split for ever without effect.
   * @throws ReductionError `bad-parameter` when the run did not go that far.
   */
  cellsAt(cells: number): Int32Array[] {
    const splits = Math.max(0, cells - 1);
    if (splits > this.steps)
      throw new ReductionError(
        'bad-parameter',
        `This run stopped at ${this.steps + 1} cells; ${cells} were asked for.`,
        'Run the splitting to the largest size first.',
      );
    const ranges = new Map<number, [number, number]>([[1, [0, this.#order.length]]]);
    for (let step = 0; step < splits; step++) {
      const id = at(this.#splitIds, step);
      const middle = at(this.#middles, step);
      const [start, end] = ranges.get(id) ?? [0, 0];
      ranges.delete(id);
      ranges.set(id, [start, middle]);
      ranges.set(step + 2, [middle, end]);
    }
    const filled = [...ranges.values()].filter(([start, end]) => end > start);
    return filled.map(([start, end]) => this.#order.slice(start, end).sort());
  }
}

/** `int(p · n / 100)`: the size the percentage asks for, truncated as in the reference. */
export function targetSize(percentage: number, rows: number): number {
  if (!Number.isFinite(percentage) || percentage <= 0 || percentage > 100)
    throw new ReductionError(
      'bad-parameter',
      `The percentage must be above 0 and at most 100, not ${percentage}.`,
      'Try 10 to keep a tenth.',
    );
  return Math.trunc((percentage * rows) / 100);
}

/**
 * Runs the splitting to `cells` cells; `cellsAt` of the result then gives every smaller partition too.
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
): Promise<ChenPath> {
  const { ids } = labelsetIds(data.labels, data.count, data.labelNames.length);
  const order = Int32Array.from({ length: data.count }, (_, row) => row);
  const splits = Math.min(Math.max(1, cells), data.count) - 1;
  const splitIds = new Int32Array(splits);
  const middles = new Int32Array(splits);
  if (splits === 0) return new ChenPath(order, splitIds, middles);

  await distances.keep(pacer, (fraction) => onProgress?.(fraction * distanceShare));
  const farthest = new FarthestPairs(distances, await distances.farthestBounds(pacer), pacer);

  const larger = (a: Cell, b: Cell): boolean =>
    a.pair.distance > b.pair.distance || (a.pair.distance === b.pair.distance && a.stamp < b.stamp);
  const mixed = new Heap<Cell>(larger);
  const uniform = new Heap<Cell>(larger);
  // Cells of one labelset only matter once no mixed cell is left, which for most sizes never happens.
  let waiting: Omit<Cell, 'pair'>[] = [];
  let stamp = 0;

  const add = async (id: number, start: number, end: number): Promise<void> => {
    const cell = { id, start, end, stamp: stamp++ };
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
    await add(id, start, middle);
    await add(made + 1, middle, end);
    if (pacer.due(end - start)) {
      onProgress?.(distanceShare + (1 - distanceShare) * (made / splits));
      await pacer.pause();
    }
    cell = await choose();
  }
  return new ChenPath(order, splitIds.slice(0, made), middles.slice(0, made));
}
