import type { Pacer } from '../numerics/pacer.ts';
import { at, type Vectors } from '../numerics/vectors.ts';
import { boundMargin, panelRows, type Cell } from './cells.ts';
import { squaredDistanceInOrder } from '../numerics/distances.ts';
import { spatialOrder } from './order.ts';
import { Panel, PanelDistances } from './panels.ts';

/** Rounding of sums of a few terms, relative to their size, generously. */
const cancellation = 1e-9;

/**
 * What is known about the Euclidean distances between the rows of one set. May be shared by several runs on the same
 * rows, whatever their labels, one after the other: what one finds out about the whole set spares the next the work.
 */
export class RowDistances {
  readonly features: Vectors;
  readonly count: number;
  readonly dim: number;
  #panels: PanelDistances | null = null;
  #root: Cell | null = null;
  #shared: Cell | null = null;

  /** Most rows of a panel. */
  readonly panelSize: number;

  /** @param features `[count, dim]`, finite · @param panelSize rows compared together; changes speed only */
  constructor(features: Vectors, count: number, dim: number, panelSize = panelRows(count)) {
    this.features = features;
    this.count = count;
    this.dim = dim;
    this.panelSize = panelSize;
  }

  /** Distance of rows `i` and `j`, float64; the same bits in either order. */
  between(i: number, j: number): number {
    const { features, dim } = this;
    return Math.sqrt(squaredDistanceInOrder(features, i * dim, features, j * dim, dim));
  }

  /** Distances between panels of rows. Ready once {@link root} has been awaited. */
  get panels(): PanelDistances {
    if (!this.#panels) throw new Error('the root cell has not been asked for');
    return this.#panels;
  }

  /**
   * A cell of all rows for a run to split, with all that earlier runs found out about it.
   * @throws the pacer's abort reason.
   */
  async root(pacer: Pacer): Promise<Cell> {
    this.#root ??= await this.#makeRoot(pacer);
    const known = this.#shared;
    if (known?.pair && !this.#root.pair) {
      this.#root.pair = known.pair;
      this.#root.bounds.set(known.bounds);
    }
    const rows = this.#root.rows.slice();
    let start = 0;
    const panels = this.#root.panels.map(({ rows: { length } }) => {
      start += length;
      return new Panel(rows.subarray(start - length, start));
    });
    const cell = { ...this.#root, rows, panels, bounds: this.#root.bounds.slice() };
    this.#shared = cell;
    return cell;
  }

  async #makeRoot(pacer: Pacer): Promise<Cell> {
    const { features, count, dim } = this;
    const size = this.panelSize;
    const rows = Int32Array.from({ length: count }, (_, row) => row);
    await spatialOrder(features, dim, rows, size, pacer);
    const panels: Panel[] = [];
    for (let start = 0; start < count; start += size)
      panels.push(new Panel(rows.subarray(start, start + size)));
    const centres = new Float64Array(panels.length * dim);
    for (const [i, panel] of panels.entries()) {
      writeMean(features, dim, panel.rows, centres.subarray(i * dim, (i + 1) * dim));
      if (pacer.due(panel.rows.length * dim)) await pacer.pause();
    }
    const centre = new Float64Array(dim);
    writeMean(centres, dim, Int32Array.from(panels.keys()), centre);
    this.#panels = new PanelDistances(features, dim, Math.min(size, count), panels.length, centre);
    const bounds = await this.#centreBounds(panels, centres, pacer);
    return { rows, panels, bounds, known: null, pair: null };
  }

  /**
   * Upper bounds of the distances between panels. With a = A + u and b = B + v around the centres A and B,
   * |a − b|² = |a − B|² + |b − A|² − |A − B|² − 2 u·v, and −2 u·v is at most twice the product of the radii.
   */
  async #centreBounds(panels: Panel[], centres: Float64Array, pacer: Pacer): Promise<Float64Array> {
    const { dim } = this;
    const count = panels.length;
    const bounds = new Float64Array(count * count).fill(Infinity);
    if (count < 3) return bounds;
    const reach = new Float64Array(count * count);
    const group = Math.min(this.panelSize, this.count);
    for (const [i, panel] of panels.entries())
      for (let from = 0; from < count; from += group) {
        const points = centres.subarray(from * dim, Math.min(count, from + group) * dim);
        reach.set(this.panels.maximaTo(panel, points), i * count + from);
        if (pacer.due((panel.rows.length * points.length) / 4)) await pacer.pause();
      }
    for (let i = 0; i < count; i++)
      for (let j = i; j < count; j++) {
        const [across, back] = [at(reach, i * count + j), at(reach, j * count + i)];
        const apart = squaredDistanceInOrder(centres, i * dim, centres, j * dim, dim);
        const radii = Math.sqrt(at(reach, i * count + i)) * Math.sqrt(at(reach, j * count + j));
        const square = across + back - apart + 2 * radii + cancellation * (across + back + apart);
        const bound = Math.sqrt(square) * boundMargin;
        bounds[i * count + j] = Number.isNaN(bound) ? Infinity : bound;
        bounds[j * count + i] = at(bounds, i * count + j);
        if (pacer.due(dim)) await pacer.pause();
      }
    return bounds;
  }
}

function writeMean(features: Vectors, dim: number, rows: Int32Array, out: Float64Array): void {
  for (let s = 0; s < rows.length; s++) {
    const offset = at(rows, s) * dim;
    for (let d = 0; d < dim; d++) out[d] = at(out, d) + at(features, offset + d) / rows.length;
  }
}
