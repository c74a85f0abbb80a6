import { ReductionError } from './errors.ts';
import { at } from '../numerics/vectors.ts';

/**
 * Where the two halves of a split cluster go in the order of clusters, which decides later ties and the order of the
 * prototypes: `moved`: both to the end, as in a dictionary whose key is removed and added again (the methods'
 * published code); `kept`: the first half keeps the place (the imbalance-aware code).
 */
export type CellOrder = 'moved' | 'kept';

/**
 * Every partition a method that splits one cell after another passes through: the partition of any smaller size is a
 * prefix of the same run. Memory is O(rows). Cells are numbered from 1; the first half of a split keeps the number,
 * the other half takes the next free one.
 */
export class SplitPath {
  /** Number of splits made, wasted ones included. */
  readonly steps: number;
  readonly #order: Int32Array;
  readonly #splitIds: Int32Array;
  readonly #middles: Int32Array;
  readonly #cellOrder: CellOrder;

  /**
   * @param order every row once; each cell a range of it · @param splitIds the cell split at each step
   * @param middles where its second half begins
   */
  constructor(order: Int32Array, splitIds: Int32Array, middles: Int32Array, cellOrder: CellOrder = 'moved') {
    this.#order = order;
    this.#splitIds = splitIds;
    this.#middles = middles;
    this.#cellOrder = cellOrder;
    this.steps = splitIds.length;
  }

  /**
   * The non-empty cells after `cells − 1` splits in the reference's order, rows ascending. There may be fewer:
   * identical rows with different labelsets are split for ever without effect.
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
      if (this.#cellOrder === 'moved') ranges.delete(id);
      ranges.set(id, [start, middle]);
      ranges.set(step + 2, [middle, end]);
    }
    const filled = [...ranges.values()].filter(([start, end]) => end > start);
    return filled.map(([start, end]) => this.#order.slice(start, end).sort());
  }
}

/** Notes the splits of a run as it makes them. */
export class SplitRun {
  /** How many splits lead to the cells asked for. */
  readonly splits: number;
  readonly #splitIds: Int32Array;
  readonly #middles: Int32Array;
  readonly #starts: Int32Array;
  readonly #cellOrder: CellOrder;
  #made = 0;

  /** @param rows in all · @param cells asked for; never more than rows, at least one */
  constructor(rows: number, cells: number, cellOrder: CellOrder = 'moved') {
    this.splits = Math.min(Math.max(1, cells), rows) - 1;
    this.#splitIds = new Int32Array(this.splits);
    this.#middles = new Int32Array(this.splits);
    this.#starts = new Int32Array(this.splits + 2);
    this.#cellOrder = cellOrder;
  }

  get done(): boolean {
    return this.#made === this.splits;
  }

  get fraction(): number {
    return this.#made / Math.max(1, this.splits);
  }

  /**
   * Notes that cell `id` has been split after its first `nearRows` rows.
   * @returns the number of the second half.
   */
  record(id: number, nearRows: number): number {
    const middle = at(this.#starts, id) + nearRows;
    this.#splitIds[this.#made] = id;
    this.#middles[this.#made] = middle;
    this.#made++;
    this.#starts[this.#made + 1] = middle;
    return this.#made + 1;
  }

  /** @param order every row once; the cells of the run are ranges of it */
  path(order: Int32Array): SplitPath {
    const made = this.#made;
    return new SplitPath(order, this.#splitIds.slice(0, made), this.#middles.slice(0, made), this.#cellOrder);
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
