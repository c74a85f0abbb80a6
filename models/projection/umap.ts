import { setImmediate as nextTurn } from 'node:timers/promises';
import { UMAP } from 'umap-js';
import { NumericError } from '../numerics/errors.ts';
import { at } from '../numerics/vectors.ts';
import { ExactIndex, type Neighbour } from '../neighbours/exact.ts';
import { Random } from '../numerics/random.ts';
import { fitPca } from './pca.ts';
import type { ProjectOptions, Projection } from './types.ts';

/** What shapes a UMAP. */
export interface UmapOptions extends ProjectOptions {
  /** Any integer: the same seed gives the same map. */
  seed: number;
  metric?: 'euclidean' | 'cosine';
  /** Neighbours per point, itself included, ≥ 2. Lowered to n − 1 for small sets. Default 15. */
  neighbours?: number;
  /** Smallest spacing on the map, 0..1. Default 0.1. */
  minDistance?: number;
  /** Passes of the layout; default as umap-js: 500 up to 2500 points, fewer for more. */
  epochs?: number;
}

/** Below this size there is no neighbourhood structure to show, and PCA is used instead. */
export const smallestUmap = 5;
/** Points laid out at most; the others are placed by {@link UmapProjection.place}. */
const fitRows = 10_000;

/** A finished layout, into which further vectors can be placed. */
export class UmapProjection implements Projection {
  readonly x: Float32Array;
  readonly y: Float32Array;
  /** `pca` when there were too few distinct points for UMAP. */
  readonly method: 'umap' | 'pca';
  readonly #place: (vectors: Float32Array, options: ProjectOptions) => Promise<Projection>;

  constructor(
    points: Projection,
    method: 'umap' | 'pca',
    place: (vectors: Float32Array, options: ProjectOptions) => Promise<Projection>,
  ) {
    this.x = points.x;
    this.y = points.y;
    this.method = method;
    this.#place = place;
  }

  /**
   * Positions of `[m, dim]` vectors that were not part of the fit (prototypes): the mean of their nearest fitted
   * points' positions, weighted by UMAP-like membership `exp(−(d − d₁) / mean(d − d₁))`. This is where umap-js's own
   * `transform` starts from; its further optimisation is left out so that the map never moves.
   */
  place(vectors: Float32Array, options: ProjectOptions = {}): Promise<Projection> {
    return this.#place(vectors, options);
  }
}

/**
 * Lays vectors out by UMAP (umap-js) on exact neighbours, pass by pass so that it can be watched and cancelled.
 * Copies of a vector are laid out once and lie on one point: among copies alone the layout would be slow and say nothing.
 * More than 10 000 vectors: evenly spaced ones are laid out, the rest placed among them. Fewer than 5 different
 * vectors: PCA instead (constant data lands at (0, 0)), and `method` says so.
 * @param vectors `[n, dim]`, n ≥ 1, finite.
 * @throws NumericError `empty`, `shape`, `not-finite`, `bad-parameter`; the signal's reason.
 */
export async function fitUmap(
  vectors: Float32Array,
  dim: number,
  options: UmapOptions,
): Promise<UmapProjection> {
  const { neighbours = 15, metric = 'euclidean', minDistance = 0.1, signal } = options;
  if (!Number.isInteger(neighbours) || neighbours < 2)
    throw new NumericError('bad-parameter', `neighbours must be at least 2, not ${neighbours}.`, 'Try 15.');
  if (!(minDistance >= 0 && minDistance <= 1))
    throw new NumericError('bad-parameter', `minDistance must be in 0..1, not ${minDistance}.`, 'Try 0.1.');
  const flat = await fitPca(vectors, dim, signal ? { signal } : {});
  const n = vectors.length / dim;
  if (n < smallestUmap || flat.explained[0] === 0) {
    const place = (more: Float32Array, how: ProjectOptions): Promise<Projection> => flat.project(more, how);
    return new UmapProjection(await flat.project(vectors), 'pca', place);
  }
  const distinct = distinctRows(vectors, dim);
  if (distinct.rows.length < n) {
    const own = await fitUmap(rowsAt(vectors, dim, distinct.rows), dim, options);
    const points = { x: spread(own.x, distinct.of), y: spread(own.y, distinct.of) };
    return new UmapProjection(points, own.method, (more, how) => own.place(more, how));
  }
  const step = Math.ceil(n / fitRows);
  const fitted = step === 1 ? vectors : everyRow(vectors, dim, step);
  const index = await ExactIndex.build(fitted, dim, metric);
  const count = index.count;
  const width = Math.min(neighbours, count - 1);
  try {
    const nearest = await index.query(fitted, width, signal ? { signal } : {});
    const layout = await optimise(nearest, width, minDistance, options);
    const place = async (more: Float32Array, how: ProjectOptions): Promise<Projection> => {
      // A fresh index: the layout may be kept for long, a session should not be.
      const own = await ExactIndex.build(fitted, dim, metric);
      try {
        return amongNeighbours(
          await own.query(more, width, how.signal ? { signal: how.signal } : {}),
          layout,
        );
      } finally {
        await own.close();
      }
    };
    if (step === 1) return new UmapProjection(layout, 'umap', place);
    const all = await place(vectors, signal ? { signal } : {});
    for (let i = 0; i < count; i++) {
      all.x[i * step] = at(layout.x, i);
      all.y[i * step] = at(layout.y, i);
    }
    return new UmapProjection(all, 'umap', place);
  } finally {
    await index.close();
  }
}

async function optimise(
  nearest: Neighbour[][],
  width: number,
  minDistance: number,
  options: UmapOptions,
): Promise<Projection> {
  const { signal, epochs, onProgress } = options;
  const random = new Random(options.seed);
  const umap = new UMAP({
    nComponents: 2,
    nNeighbors: width,
    minDist: minDistance,
    random: () => random.uniform(),
    ...(epochs !== undefined && { nEpochs: epochs }),
  });
  // umap-js expects every point to be its own first neighbour; equal points may have been listed before it.
  const ordered = nearest.map((own, row) => {
    const others = own.filter((neighbour) => neighbour.row !== row).slice(0, width - 1);
    return [{ row, distance: 0 }, ...others];
  });
  umap.setPrecomputedKNN(
    ordered.map((own) => own.map(({ row }) => row)),
    ordered.map((own) => own.map(({ distance }) => distance)),
  );
  // With neighbours given, umap-js only reads how many vectors there are.
  const steps = umap.initializeFit(nearest.map(() => []));
  let turn = performance.now();
  for (let epoch = 0; epoch < steps; epoch++) {
    umap.step();
    if (performance.now() - turn < 12) continue;
    onProgress?.((epoch + 1) / steps);
    signal?.throwIfAborted();
    await nextTurn();
    signal?.throwIfAborted();
    turn = performance.now();
  }
  onProgress?.(1);
  const points = umap.getEmbedding();
  return {
    x: Float32Array.from(points, (point) => point[0] ?? NaN),
    y: Float32Array.from(points, (point) => point[1] ?? NaN),
  };
}

function amongNeighbours(nearest: Neighbour[][], layout: Projection): Projection {
  const x = new Float32Array(nearest.length);
  const y = new Float32Array(nearest.length);
  for (const [i, own] of nearest.entries()) {
    const closest = own[0]?.distance ?? 0;
    const spread = own.reduce((sum, { distance }) => sum + distance - closest, 0) / own.length;
    let total = 0;
    let sumX = 0;
    let sumY = 0;
    for (const { row, distance } of own) {
      const weight = spread > 0 ? Math.exp(-(distance - closest) / spread) : 1;
      total += weight;
      sumX += weight * at(layout.x, row);
      sumY += weight * at(layout.y, row);
    }
    x[i] = sumX / total;
    y[i] = sumY / total;
  }
  return { x, y };
}

/** Rows that differ, by their first occurrence, and for every row which of them it equals, bit for bit. */
function distinctRows(vectors: Float32Array, dim: number): { rows: number[]; of: Int32Array } {
  const words = new Uint32Array(vectors.buffer, vectors.byteOffset, vectors.length);
  const count = vectors.length / dim;
  const rows: number[] = [];
  const of = new Int32Array(count);
  const withHash = new Map<number, number[]>();
  for (let row = 0; row < count; row++) {
    let hash = 0x811c9dc5;
    for (let i = row * dim; i < (row + 1) * dim; i++) hash = Math.imul(hash ^ (words[i] ?? 0), 0x01000193);
    const candidates = withHash.get(hash) ?? [];
    let found = candidates.find((other) => equalRows(words, dim, rows[other] ?? 0, row));
    if (found === undefined) {
      found = rows.push(row) - 1;
      withHash.set(hash, [...candidates, found]);
    }
    of[row] = found;
  }
  return { rows, of };
}

function equalRows(words: Uint32Array, dim: number, a: number, b: number): boolean {
  for (let i = 0; i < dim; i++) if (words[a * dim + i] !== words[b * dim + i]) return false;
  return true;
}

function rowsAt(vectors: Float32Array, dim: number, rows: readonly number[]): Float32Array {
  const out = new Float32Array(rows.length * dim);
  rows.forEach((row, i) => out.set(vectors.subarray(row * dim, (row + 1) * dim), i * dim));
  return out;
}

const spread = (values: Float32Array, of: Int32Array): Float32Array =>
  Float32Array.from(of, (row) => values[row] ?? NaN);

function everyRow(vectors: Float32Array, dim: number, step: number): Float32Array {
  const count = Math.ceil(vectors.length / dim / step);
  const out = new Float32Array(count * dim);
  for (let i = 0; i < count; i++) out.set(vectors.subarray(i * step * dim, (i * step + 1) * dim), i * dim);
  return out;
}
