import Flatbush from 'flatbush';

/**
 * Points of a plane in an R-tree, to find the nearest of them without looking at all, however they lie: one far outlier
 * among points that lie together is the usual case on a map. Coordinates that are not finite count as 0.
 */
export class PlaneIndex {
  readonly #x: Float32Array;
  readonly #y: Float32Array;
  readonly #tree: Flatbush | null = null;

  constructor(x: Float32Array, y: Float32Array) {
    this.#x = x.map(finite);
    this.#y = y.map(finite);
    if (x.length === 0) return;
    this.#tree = new Flatbush(x.length, 16, Float32Array);
    for (let i = 0; i < x.length; i++) this.#tree.add(this.#x[i] ?? 0, this.#y[i] ?? 0);
    this.#tree.finish();
  }

  /**
   * The `k` points nearest to a point, without itself: ascending distance; of equally far ones the same for the same points.
   * @returns fewer where there are fewer
   */
  nearest(point: number, k: number): number[] {
    const [x, y] = [this.#x[point] ?? 0, this.#y[point] ?? 0];
    return this.#tree?.neighbors(x, y, k, Infinity, (other) => other !== point) ?? [];
  }
}

const finite = (value: number): number => (Number.isFinite(value) ? value : 0);
