import type { Pacer } from '../numerics/pacer.ts';
import { widthAtMost, type Cell } from './cells.ts';
import { Panel } from './panels.ts';
import { sampleRows } from './row-sample.ts';
import type { RowDistances } from './distances.ts';

/** Distances are summed as whole multiples of 2⁻⁴⁰ of the largest there can be: exact, in any order. */
const distanceBits = 40;
/** Sums come in two parts of 20 bits, see the kernel. */
const highUnit = 2 ** 20;
/** Stands for an infinite overlap: rows of one labelset coincide, rows of different ones do not. */
const infiniteOverlap = Number.MAX_VALUE;

/** Sums of distances inside a cell: [all high, all low, equal labelsets high, equal labelsets low]. */
type Sums = Float64Array;

/**
 * Overlap of cells as MRSP2 means it: mean distance of rows with different labelsets / mean distance of rows with
 * equal ones. Sums are exact (up to the rounding of each distance to 2⁻⁴¹ of the data's width), so that they do not
 * depend on the order of rows, and the larger half of a split cell needs no summing: its sum is what the smaller half
 * and the distances between the halves leave of the whole.
 */
export class Overlaps {
  readonly #distances: RowDistances;
  readonly #ids: Int32Array;
  readonly #pacer: Pacer;
  readonly #scale: number;
  readonly #most: number;
  readonly #known = new WeakMap<Cell, Sums>();

  /**
   * @param root the cell of all rows · @param ids labelset number of every row
   * @param mostRows a larger cell's overlap is estimated from so many of its rows; by default from all
   */
  constructor(distances: RowDistances, root: Cell, ids: Int32Array, pacer: Pacer, mostRows = Infinity) {
    this.#most = mostRows;
    this.#distances = distances;
    this.#ids = ids;
    this.#pacer = pacer;
    const width = widthAtMost(root);
    this.#scale = width > 0 && width < Infinity ? 2 ** (distanceBits - Math.ceil(Math.log2(width))) : 1;
  }

  /**
   * Overlaps of the two halves of a cell.
   * @throws the pacer's abort reason.
   */
  async ofHalves(whole: Cell, near: Cell, rest: Cell): Promise<[number, number]> {
    const [small, large] = near.rows.length < rest.rows.length ? [near, rest] : [rest, near];
    const sums = this.#known.get(whole);
    if (sums && 2 * small.rows.length < large.rows.length && this.#pairs(large).mixed) {
      const left = sums.slice();
      const own = await this.#within(small);
      const across = await this.#across(small, large);
      for (let i = 0; i < left.length; i++)
        left[i] = (left[i] as number) - (own[i] as number) - (across[i] as number);
      this.#known.set(large, left);
    }
    return [await this.#of(near), await this.#of(rest)];
  }

  async #of(cell: Cell): Promise<number> {
    const { all, equal, mixed } = this.#pairs(cell);
    if (!mixed) return 0;
    if (cell.rows.length > this.#most) {
      const sample = this.#sampleOf(cell);
      // A sample without both kinds of pairs says nothing about their ratio.
      if (this.#pairs(sample).mixed) return this.#of(sample);
    }
    const [allHigh = 0, allLow = 0, equalHigh = 0, equalLow = 0] = await this.#within(cell);
    const equalSum = equalHigh * highUnit + equalLow;
    const differentSum = (allHigh - equalHigh) * highUnit + (allLow - equalLow);
    return overlapOf(differentSum, all - equal, equalSum, equal);
  }

  /** Some rows of a cell as a cell of their own. */
  #sampleOf(cell: Cell): Cell {
    const rows = sampleRows(cell.rows, this.#most);
    const size = this.#distances.panelSize;
    const panels = Array.from(
      { length: Math.ceil(rows.length / size) },
      (_, i) => new Panel(rows.subarray(i * size, (i + 1) * size)),
    );
    return { rows, panels, bounds: new Float64Array(panels.length ** 2), known: null, pair: null };
  }

  /** How many pairs of rows a cell has, how many with equal labelsets, and whether there are both kinds. */
  #pairs({ rows }: Cell): { all: number; equal: number; mixed: boolean } {
    const counts = new Map<number, number>();
    let equal = 0;
    for (const row of rows) {
      const id = this.#ids[row] as number;
      const earlier = counts.get(id) ?? 0;
      equal += earlier;
      counts.set(id, earlier + 1);
    }
    const all = (rows.length * (rows.length - 1)) / 2;
    return { all, equal, mixed: equal > 0 && equal < all };
  }

  async #within(cell: Cell): Promise<Sums> {
    const known = this.#known.get(cell);
    if (known) return known;
    const sums = new Float64Array(4);
    const count = cell.panels.length;
    for (let i = 0; i < count; i++)
      for (let j = i; j < count; j++) {
        const bound = await this.#add(cell, i, cell, j, sums);
        cell.bounds[i * count + j] = bound;
        cell.bounds[j * count + i] = bound;
      }
    this.#known.set(cell, sums);
    return sums;
  }

  async #across(a: Cell, b: Cell): Promise<Sums> {
    const sums = new Float64Array(4);
    for (let i = 0; i < a.panels.length; i++)
      for (let j = 0; j < b.panels.length; j++) await this.#add(a, i, b, j, sums);
    return sums;
  }

  /** Adds the distances of two panels and returns the largest. */
  async #add(a: Cell, i: number, b: Cell, j: number, sums: Sums): Promise<number> {
    const [first, second] = [a.panels[i], b.panels[j]];
    if (!first || !second) return 0;
    const { panels, dim } = this.#distances;
    const longest = Math.sqrt(panels.squares(first, second));
    panels.addDistances(first, second, this.#ids, this.#scale, sums);
    if (this.#pacer.due((first.rows.length * second.rows.length * (dim + 16)) / 4)) await this.#pacer.pause();
    return longest;
  }
}

/** Overlap from sums and counts of distances between rows of different and of equal labelsets. */
export function overlapOf(differentSum: number, different: number, equalSum: number, equal: number): number {
  if (different === 0 || equal === 0) return 0;
  if (equalSum === 0) return differentSum === 0 ? 0 : infiniteOverlap;
  return differentSum / different / (equalSum / equal);
}
