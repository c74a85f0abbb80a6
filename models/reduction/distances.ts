import type { Pacer } from '../knn/pacer.ts';
import { at, squaredDistance, type Vectors } from '../knn/vectors.ts';

/** Above this many pairs (128 MB of float64) distances are recomputed instead of kept: n > 5793. */
export const maxKeptPairs = 1 << 24;

/**
 * Euclidean distances between the rows of one set; kept in a triangle while that is affordable. May be shared by
 * several runs on the same rows, whatever their labels.
 */
export class RowDistances {
  readonly count: number;
  readonly dim: number;
  readonly #features: Vectors;
  #triangle: Float64Array | null = null;

  constructor(features: Vectors, count: number, dim: number) {
    this.#features = features;
    this.count = count;
    this.dim = dim;
  }

  /** Arithmetic one {@link between} costs, for pacing. */
  get cost(): number {
    return this.#triangle ? 2 : this.dim;
  }

  /** Computes all pairs once when they fit; without it distances are computed at each call. */
  async keep(pacer: Pacer, onProgress?: (fraction: number) => void, limit = maxKeptPairs): Promise<void> {
    const n = this.count;
    const pairs = (n * (n - 1)) / 2;
    if (pairs > limit || this.#triangle !== null) return;
    const triangle = new Float64Array(pairs);
    for (let i = 1; i < n; i++) {
      this.#fillRow(triangle, i);
      if (pacer.due(i * this.dim)) {
        onProgress?.((i * i) / (n * n));
        await pacer.pause();
      }
    }
    this.#triangle = triangle;
  }

  /** Distance of rows `i` and `j`, float64; the same bits in either order. */
  between(i: number, j: number): number {
    if (i === j) return 0;
    const triangle = this.#triangle;
    if (triangle === null) return this.#compute(i, j);
    return i > j ? at(triangle, (i * (i - 1)) / 2 + j) : at(triangle, (j * (j - 1)) / 2 + i);
  }

  /**
   * Upper bound, for every row, of its distance to any other row: through the centroid, widened by a margin that
   * dwarfs rounding.
   */
  async farthestBounds(pacer: Pacer): Promise<Float64Array> {
    const { count, dim } = this;
    const centroid = new Float64Array(dim);
    for (let row = 0; row < count; row++) {
      for (let d = 0; d < dim; d++) centroid[d] = at(centroid, d) + at(this.#features, row * dim + d) / count;
      if (pacer.due(dim)) await pacer.pause();
    }
    const bounds = new Float64Array(count);
    let radius = 0;
    for (let row = 0; row < count; row++) {
      const r = Math.sqrt(squaredDistance(this.#features, row * dim, centroid, 0, dim));
      bounds[row] = r;
      radius = Math.max(radius, r);
      if (pacer.due(dim)) await pacer.pause();
    }
    return bounds.map((r) => (r + radius) * boundMargin);
  }

  /** A row at a time (at most a few milliseconds), because loops in async functions are compiled less well. */
  #fillRow(triangle: Float64Array, i: number): void {
    const start = (i * (i - 1)) / 2;
    for (let j = 0; j < i; j++) triangle[start + j] = this.#compute(i, j);
  }

  #compute(i: number, j: number): number {
    return Math.sqrt(squaredDistance(this.#features, i * this.dim, this.#features, j * this.dim, this.dim));
  }
}

/** Factor that keeps a bound from the triangle inequality above the computed distance despite rounding. */
export const boundMargin = 1 + 1e-9;
