import type { Pacer } from '../knn/pacer.ts';
import { at } from '../knn/vectors.ts';
import { boundMargin, type RowDistances } from './distances.ts';

/** The farthest pair of a cluster: `first < second` in row order, or equal rows for a cluster of diameter 0. */
export interface FarthestPair {
  first: number;
  second: number;
  /** The cluster's diameter. */
  distance: number;
}

/** Multiply-adds between two looks at the pacer. */
const chunkWork = 1 << 20;

/**
 * Finds farthest pairs and splits by them (golden/multilabel/SPEC.md §1), exactly, without looking at every pair.
 *
 * Every row keeps an upper bound of its distance to the other rows of its present cluster. Bounds survive splitting
 * (a part of a cluster has no longer distances than the whole), so that only rows whose bound reaches the diameter
 * are compared with their cluster. Results, ties included, equal the exhaustive lexicographic scan.
 */
export class FarthestPairs {
  readonly #distances: RowDistances;
  readonly #bounds: Float64Array;
  readonly #pacer: Pacer;
  readonly #reached: Float64Array;

  constructor(distances: RowDistances, bounds: Float64Array, pacer: Pacer) {
    this.#distances = distances;
    this.#bounds = bounds;
    this.#pacer = pacer;
    this.#reached = new Float64Array(distances.count);
  }

  /** First pair in lexicographic row order that attains the largest distance. `rows` must ascend and not be empty. */
  async of(rows: Int32Array): Promise<FarthestPair> {
    const bounds = this.#bounds;
    const reached = this.#reached;
    const lowest = at(rows, 0);
    const best: FarthestPair = { first: lowest, second: lowest, distance: 0 };
    // The open rows sit in `open[0..left)`, the one to compare next is the one of largest bound.
    const open = Int32Array.from(rows);
    let left = open.length;
    const chunk = Math.max(1, Math.floor(chunkWork / this.#distances.cost));
    let next = 0;
    for (let s = 0; s < left; s++) {
      const row = at(open, s);
      reached[row] = 0;
      if (at(bounds, row) > at(bounds, at(open, next))) next = s;
    }
    while (left > 1) {
      const row = at(open, next);
      if (at(bounds, row) < best.distance || at(bounds, row) === 0) break;
      open[next] = at(open, --left);
      next = 0;
      for (let from = 0; from < left; from += chunk) {
        const to = Math.min(left, from + chunk);
        next = this.#compare(row, open, from, to, next, best);
        if (this.#pacer.due((to - from) * this.#distances.cost)) await this.#pacer.pause();
      }
      // Compared with every other row of the cluster by now, so the bound becomes the exact value.
      bounds[row] = at(reached, row);
    }
    return best;
  }

  /**
   * Compares `row` with the open rows `from..to`, noting how far each reaches and the best pair; returns the slot of
   * the largest bound seen. Not async, because loops in async functions are compiled less well.
   */
  #compare(
    row: number,
    open: Int32Array,
    from: number,
    to: number,
    next: number,
    best: FarthestPair,
  ): number {
    const bounds = this.#bounds;
    const reached = this.#reached;
    const distances = this.#distances;
    let far = at(reached, row);
    let widest = at(bounds, at(open, next));
    for (let s = from; s < to; s++) {
      const other = at(open, s);
      const d = distances.between(row, other);
      if (d > far) far = d;
      if (d > at(reached, other)) reached[other] = d;
      if (d >= best.distance && d > 0) prefer(best, row, other, d);
      if (at(bounds, other) > widest) {
        widest = at(bounds, other);
        next = s;
      }
    }
    reached[row] = far;
    return next;
  }

  /**
   * Sorts `rows` in place into the half nearer to `pair.first` (ties included) and the rest, both ascending.
   * @returns the size of the first half.
   */
  async split(rows: Int32Array, pair: FarthestPair): Promise<number> {
    const rest = new Int32Array(rows.length);
    const toFirst = new Float64Array(rows.length);
    const toSecond = new Float64Array(rows.length);
    let near = 0;
    let far = 0;
    let radiusFirst = 0;
    let radiusSecond = 0;
    for (const row of rows) {
      const a = this.#distances.between(row, pair.first);
      const b = this.#distances.between(row, pair.second);
      if (a <= b) {
        // `near` never overtakes the row being read.
        toFirst[near] = a;
        rows[near++] = row;
        radiusFirst = Math.max(radiusFirst, a);
      } else {
        toSecond[far] = b;
        rest[far++] = row;
        radiusSecond = Math.max(radiusSecond, b);
      }
      if (this.#pacer.due(2 * this.#distances.cost)) await this.#pacer.pause();
    }
    rows.set(rest.subarray(0, far), near);
    this.#tighten(rows.subarray(0, near), toFirst, radiusFirst);
    this.#tighten(rows.subarray(near), toSecond, radiusSecond);
    return near;
  }

  #tighten(rows: Int32Array, toPivot: Float64Array, radius: number): void {
    for (let s = 0; s < rows.length; s++) {
      const row = at(rows, s);
      const bound = (at(toPivot, s) + radius) * boundMargin;
      if (bound < at(this.#bounds, row)) this.#bounds[row] = bound;
    }
  }
}

function prefer(best: FarthestPair, a: number, b: number, distance: number): void {
  const first = Math.min(a, b);
  const second = Math.max(a, b);
  const tie = distance === best.distance;
  if (tie && (first > best.first || (first === best.first && second >= best.second))) return;
  best.first = first;
  best.second = second;
  best.distance = distance;
}
