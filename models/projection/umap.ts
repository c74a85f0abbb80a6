import { NumericError } from '../numerics/errors.ts';
import { at } from '../numerics/vectors.ts';
import { ExactIndex, type Neighbour } from '../neighbours/exact.ts';
import { Pacer } from '../numerics/pacer.ts';
import { Random } from '../numerics/random.ts';
import { layoutOf } from './layout.ts';
import { neighbourGraph } from './neighbour-graph.ts';
import { fitPca } from './pca.ts';
import type { ProjectOptions, Projection } from './types.ts';

/** What shapes a UMAP. */
export interface UmapOptions extends ProjectOptions {
  /** Any integer: the same seed gives the same map. */
  seed: number;
  metric?: 'euclidean' | 'cosine';
  /** Neighbours per point, itself included, ≥ 2. Lowered to n − 1 for small sets. Default 15. */
  neighbours?: number;
  /** Passes of the layout; default 500 up to 2500 points, fewer for more. */
  passes?: number;
  /** Points laid out at most. Default 100 000: finding their neighbours takes a minute or two. */
  mostLaidOut?: number;
}

/** Below this size there is no neighbourhood structure to show, and PCA is used instead. */
export const smallestUmap = 5;
/** Share of the progress after which neighbours are known, about. */
const neighboursKnown = 0.7;
/** Vectors that are placed at once. */
const chunk = 2048;

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
   * points' positions, weighted by UMAP-like membership `exp(−(d − d₁) / mean(d − d₁))`. This is where the transform of
   * umap-learn starts from; its further optimisation is left out so that the map never moves.
   */
  place(vectors: Float32Array, options: ProjectOptions = {}): Promise<Projection> {
    return this.#place(vectors, options);
  }
}

/**
 * Lays vectors out by UMAP on exact neighbours, starting from the plane of PCA; it can be watched and cancelled, and takes a
 * thread of its own (layout.ts). Copies of a vector are laid out once and lie on one point: among copies alone the layout
 * would say nothing. Of more vectors than `mostLaidOut` a seeded sample is laid out and the rest placed among them. Fewer than 5
 * different vectors: PCA instead (constant data lands at (0, 0)), and `method` says so.
 * @param vectors `[n, dim]`, n ≥ 1, finite.
 * @throws NumericError `empty`, `shape`, `not-finite`, `bad-parameter`; the signal's reason.
 */
export async function fitUmap(
  vectors: Float32Array,
  dim: number,
  options: UmapOptions,
): Promise<UmapProjection> {
  const {
    neighbours = 15,
    metric = 'euclidean',
    signal,
    onProgress,
    seed,
    passes,
    mostLaidOut = 100_000,
  } = options;
  if (!Number.isInteger(neighbours) || neighbours < 2)
    throw new NumericError('bad-parameter', `neighbours must be at least 2, not ${neighbours}.`, 'Try 15.');
  const flat = await fitPca(vectors, dim, { signal });
  const n = vectors.length / dim;
  if (n < smallestUmap || flat.explained[0] === 0) {
    const place = (more: Float32Array, how: ProjectOptions): Promise<Projection> => flat.project(more, how);
    return new UmapProjection(await flat.project(vectors), 'pca', place);
  }
  const distinct = await distinctRows(vectors, dim, new Pacer(signal));
  if (distinct.rows.length < n) {
    const own = await fitUmap(rowsAt(vectors, dim, distinct.rows), dim, options);
    const points = { x: spread(own.x, distinct.of), y: spread(own.y, distinct.of) };
    return new UmapProjection(points, own.method, (more, how) => own.place(more, how));
  }
  const sample = n <= mostLaidOut ? null : sampleOf(n, mostLaidOut, seed);
  const fitted = sample === null ? vectors : rowsAt(vectors, dim, sample);
  const width = Math.min(neighbours, fitted.length / dim) - 1;
  const graph = await neighbourGraph(fitted, dim, width, {
    ...{ metric, signal },
    onProgress: (fraction) => onProgress?.(neighboursKnown * fraction),
  });
  const layout = await layoutOf(graph, await flat.project(fitted, { signal }), {
    ...{ signal, seed, ...(passes !== undefined && { passes }) },
    onProgress: (fraction) => onProgress?.(neighboursKnown + (1 - neighboursKnown) * fraction),
  });
  const place = (more: Float32Array, how: ProjectOptions): Promise<Projection> =>
    placeAmong(fitted, layout, more, { dim, metric, width: width + 1, signal: how.signal });
  const points = sample === null ? layout : await placeRest(vectors, dim, sample, layout, place, options);
  onProgress?.(1);
  return new UmapProjection(points, 'umap', place);
}

/** A seeded choice of rows, in ascending order. */
function sampleOf(count: number, size: number, seed: number): number[] {
  const all = Array.from({ length: count }, (_, row) => row);
  return new Random(seed)
    .shuffle(all)
    .slice(0, size)
    .sort((a, b) => a - b);
}

async function placeAmong(
  fitted: Float32Array,
  layout: Projection,
  vectors: Float32Array,
  how: { dim: number; metric: 'euclidean' | 'cosine'; width: number; signal: AbortSignal | undefined },
): Promise<Projection> {
  const { dim, width, signal } = how;
  // A fresh index: the layout may be kept for long, a session should not be.
  const index = await ExactIndex.build(fitted, dim, how.metric);
  const count = vectors.length / dim;
  const placed = { x: new Float32Array(count), y: new Float32Array(count) };
  try {
    for (let first = 0; first < count; first += chunk) {
      const part = vectors.subarray(first * dim, (first + chunk) * dim);
      const { x, y } = amongNeighbours(await index.query(part, width, signal ? { signal } : {}), layout);
      placed.x.set(x, first);
      placed.y.set(y, first);
    }
    return placed;
  } finally {
    await index.close();
  }
}

/** Where all rows lie: those of the sample as laid out, the others among them. */
async function placeRest(
  vectors: Float32Array,
  dim: number,
  sample: readonly number[],
  layout: Projection,
  place: (vectors: Float32Array, options: ProjectOptions) => Promise<Projection>,
  { signal }: ProjectOptions,
): Promise<Projection> {
  const count = vectors.length / dim;
  const laid = new Set(sample);
  const rest = Array.from({ length: count }, (_, row) => row).filter((row) => !laid.has(row));
  const placed = await place(rowsAt(vectors, dim, rest), signal ? { signal } : {});
  const all = { x: new Float32Array(count), y: new Float32Array(count) };
  for (const [rows, points] of [[sample, layout] as const, [rest, placed] as const])
    rows.forEach((row, i) => {
      all.x[row] = at(points.x, i);
      all.y[row] = at(points.y, i);
    });
  return all;
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
async function distinctRows(
  vectors: Float32Array,
  dim: number,
  pacer: Pacer,
): Promise<{ rows: number[]; of: Int32Array }> {
  const words = new Uint32Array(vectors.buffer, vectors.byteOffset, vectors.length);
  const count = vectors.length / dim;
  const rows: number[] = [];
  const of = new Int32Array(count);
  const withHash = new Map<number, number[]>();
  for (let row = 0; row < count; row++) {
    const hash = hashOf(words, row * dim, (row + 1) * dim);
    const candidates = withHash.get(hash) ?? [];
    let found = candidates.find((other) => equalRows(words, dim, rows[other] ?? 0, row));
    if (found === undefined) {
      found = rows.push(row) - 1;
      withHash.set(hash, [...candidates, found]);
    }
    of[row] = found;
    if (pacer.due(dim)) await pacer.pause();
  }
  return { rows, of };
}

/** FNV-1a over words. */
function hashOf(words: Uint32Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ (words[i] as number), 0x01000193);
  return hash;
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
