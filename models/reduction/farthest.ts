import type { Pacer } from '../numerics/pacer.ts';
import type { Vectors } from '../numerics/vectors.ts';
import { splitCell, type Cell, type FarthestPair, type PairDistances } from './cells.ts';
import type { RowDistances } from './distances.ts';
import type { Panel } from './panels.ts';

/** Panel pairs of largest bound looked at before all others, so that most of those need no look. */
const firstLooks = 4;
/** Rows whose distances to a pair are worked out between two looks at the clock. */
const splitRows = 256;
/** Work of one multiply-add in the kernel, in units of the pacer. */
const kernelWork = 1 / 4;

/**
 * Finds farthest pairs and splits by them (golden/multilabel/SPEC.md §1), exactly, without looking at every pair.
 *
 * The rows of a cluster lie in panels; every pair of panels has an upper bound of the distances across it. Bounds come
 * from the panels' centres at first, become exact once a pair of panels has been compared, and survive splitting (a
 * part of a cluster has no longer distances than the whole). Only panel pairs whose bound reaches the diameter are
 * compared. Results, ties included, equal the exhaustive lexicographic scan.
 */
export class FarthestPairs {
  readonly #distances: RowDistances;
  readonly #pacer: Pacer;

  constructor(distances: RowDistances, pacer: Pacer) {
    this.#distances = distances;
    this.#pacer = pacer;
  }

  /**
   * First pair in lexicographic row order that attains the largest distance of the cell, which must not be empty.
   * @throws the pacer's abort reason.
   */
  async of(cell: Cell, onProgress?: (fraction: number) => void): Promise<FarthestPair> {
    if (cell.pair) return cell.pair;
    const lowest = cell.rows.reduce((a, b) => Math.min(a, b));
    const best: FarthestPair = { ...(cell.known ?? { first: lowest, second: lowest, distance: 0 }) };
    const { panels, bounds } = cell;
    const count = panels.length;
    const [only] = panels;
    if (count === 1 && only) {
      bounds[0] = this.#compare(only, only, best, false);
      if (this.#pacer.due(only.rows.length ** 2 * this.#distances.dim * kernelWork))
        await this.#pacer.pause();
      cell.pair = best;
      return best;
    }
    let looks = 0;
    const compared = new Uint8Array(count * count);
    const look = async (i: number, j: number): Promise<void> => {
      const [a, b] = [panels[i], panels[j]];
      if (!a || !b || compared[i * count + j] === 1) return;
      compared[i * count + j] = 1;
      // Packing once more for float32 pays when every panel is compared a few times.
      const bound = this.#compare(a, b, best, ++looks > 2 * count);
      bounds[i * count + j] = bound;
      bounds[j * count + i] = bound;
      if (this.#pacer.due(a.rows.length * b.rows.length * this.#distances.dim * kernelWork))
        await this.#pacer.pause();
    };
    if (count > 2) for (const [i, j] of widestPairs(bounds, count, firstLooks)) await look(i, j);
    for (let i = 0; i < count; i++) {
      for (let j = i; j < count; j++) {
        const bound = bounds[i * count + j] as number;
        // Not `bound < best`: a bound that is no number proves nothing. At zero the lowest row stays.
        if (bound < best.distance || bound === 0) continue;
        await look(i, j);
      }
      onProgress?.(1 - ((count - i - 1) / count) ** 2);
    }
    cell.pair = best;
    return best;
  }

  /** Takes the pair of the panels into account and returns the new bound of their distances. */
  #compare(a: Panel, b: Panel, best: FarthestPair, many: boolean): number {
    const { panels } = this.#distances;
    if (many && best.distance > 0) {
      const atMost = Math.sqrt(panels.squaresAtMost(a, b)) * (1 + 1e-12);
      if (atMost < best.distance) return atMost;
    }
    const square = panels.squares(a, b);
    const longest = Math.sqrt(square);
    if (longest >= best.distance && longest > 0) this.#prefer(a, b, square, longest, best);
    return longest;
  }

  /** Looks for the first pair of rows that is `longest` apart. */
  #prefer(a: Panel, b: Panel, square: number, longest: number, best: FarthestPair): void {
    const { values, start, stride } = this.#distances.panels.tile(b);
    // Squares a little apart may have the same root.
    const least = square * (1 - 1e-15);
    if (longest > best.distance) {
      best.distance = longest;
      best.first = Infinity;
      best.second = Infinity;
    }
    for (let i = 0; i < a.rows.length; i++)
      for (let j = a === b ? i + 1 : 0; j < b.rows.length; j++) {
        const value = values[start + i * stride + j] as number;
        if (!(value >= least) || Math.sqrt(value) !== longest) continue;
        const first = Math.min(a.rows[i] as number, b.rows[j] as number);
        const second = Math.max(a.rows[i] as number, b.rows[j] as number);
        if (first < best.first || (first === best.first && second < best.second)) {
          best.first = first;
          best.second = second;
        }
      }
  }

  /** Parts a cell by its farthest pair; see `splitCell`. */
  async split(cell: Cell, pair: FarthestPair): Promise<[Cell, Cell | null]> {
    const { features, dim } = this.#distances;
    const distances: PairDistances = {
      toFirst: new Float64Array(cell.rows.length),
      toSecond: new Float64Array(cell.rows.length),
    };
    const { toFirst, toSecond } = distances;
    const { first, second } = pair;
    for (let from = 0; from < cell.rows.length; from += splitRows) {
      const to = Math.min(cell.rows.length, from + splitRows);
      distancesToPair(features, dim, cell.rows, from, to, first, second, toFirst, toSecond);
      if (this.#pacer.due((to - from) * dim)) await this.#pacer.pause();
    }
    return splitCell(cell, pair, distances, this.#distances.panelSize, this.#pacer);
  }

  /** Parts one row from the others, wherever it lies. */
  async setAside(cell: Cell, row: number): Promise<[Cell, Cell | null]> {
    const toFirst = new Float64Array(cell.rows.length);
    const toSecond = Float64Array.from(cell.rows, (other) => (other === row ? -1 : 0));
    const pair = { first: row, second: row, distance: 0 };
    return splitCell(cell, pair, { toFirst, toSecond }, this.#distances.panelSize, this.#pacer);
  }
}

/** The panel pairs of largest bound, widest first. */
function widestPairs(bounds: Float64Array, count: number, wanted: number): [number, number][] {
  const found: { bound: number; i: number; j: number }[] = [];
  for (let i = 0; i < count; i++)
    for (let j = i; j < count; j++) {
      const bound = bounds[i * count + j] as number;
      if (found.length === wanted && !(bound > (found.at(-1)?.bound ?? 0))) continue;
      let place = found.length;
      while (place > 0 && bound > (found[place - 1]?.bound ?? Infinity)) place--;
      found.splice(place, 0, { bound, i, j });
      if (found.length > wanted) found.pop();
    }
  return found.map(({ i, j }) => [i, j]);
}

/**
 * Distances of the rows of a cluster to two of its rows, `first` and `second`: as the root of `squaredDistanceInOrder`,
 * two rows at a time because the additions of one sum must wait for each other.
 */
function distancesToPair(
  features: Vectors,
  dim: number,
  rows: Int32Array,
  from: number,
  to: number,
  first: number,
  second: number,
  toFirst: Float64Array,
  toSecond: Float64Array,
): void {
  const p = first * dim;
  const q = second * dim;
  for (let s = from; s < to; s += 2) {
    const a = (rows[s] as number) * dim;
    const b = (rows[Math.min(s + 1, to - 1)] as number) * dim;
    let [ap, aq, bp, bq] = [0, 0, 0, 0];
    for (let i = 0; i < dim; i++) {
      const x = features[p + i] as number;
      const y = features[q + i] as number;
      const u = features[a + i] as number;
      const v = features[b + i] as number;
      ap += (u - x) * (u - x);
      aq += (u - y) * (u - y);
      bp += (v - x) * (v - x);
      bq += (v - y) * (v - y);
    }
    toFirst[s] = Math.sqrt(ap);
    toSecond[s] = Math.sqrt(aq);
    if (s + 1 < to) {
      toFirst[s + 1] = Math.sqrt(bp);
      toSecond[s + 1] = Math.sqrt(bq);
    }
  }
}
