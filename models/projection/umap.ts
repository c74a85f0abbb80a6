import { NumericError } from '../numerics/errors.ts';
import { at } from '../numerics/vectors.ts';
import { asRows, chosenRows, type Rows } from '../neighbours/rows.ts';
import { ExactIndex, type Neighbour } from '../neighbours/exact.ts';
import { Pacer } from '../numerics/pacer.ts';
import { Random } from '../numerics/random.ts';
import { distinctRows } from './distinct-rows.ts';
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
/** Rows laid out for one that is placed, in time, about. */
const placedPerLaidOut = 2;
/** Vectors that are placed at once. */
const chunk = 2048;

type Place = (vectors: Float32Array | Rows, options: ProjectOptions) => Promise<Projection>;

/** A finished layout, into which further vectors can be placed. */
export class UmapProjection implements Projection {
  readonly x: Float32Array;
  readonly y: Float32Array;
  /** `pca` when there were too few distinct points for UMAP. */
  readonly method: 'umap' | 'pca';
  readonly #place: Place;

  constructor(points: Projection, method: 'umap' | 'pca', place: Place) {
    this.x = points.x;
    this.y = points.y;
    this.method = method;
    this.#place = place;
  }

  /**
   * Positions of vectors (`[m, dim]`, or rows) that were not part of the fit (prototypes): the mean of their nearest fitted
   * points' positions, weighted by UMAP-like membership `exp(−(d − d₁) / mean(d − d₁))`. This is where the transform of
   * umap-learn starts from; its further optimisation is left out so that the map never moves.
   */
  place(vectors: Float32Array | Rows, options: ProjectOptions = {}): Promise<Projection> {
    return this.#place(vectors, options);
  }
}

/**
 * Lays vectors out by UMAP on exact neighbours, starting from the plane of PCA; it can be watched and cancelled, and takes a
 * thread of its own (layout.ts). Copies of a vector are laid out once and lie on one point: among copies alone the layout
 * would say nothing. Of more vectors than `mostLaidOut` a seeded sample is laid out and the rest placed among them. Fewer than 5
 * different vectors: PCA instead (constant data lands at (0, 0)), and `method` says so.
 * @param vectors rows, or `[n, dim]`; n ≥ 1, finite. Of rows in a file only what is laid out is read into memory.
 * @throws NumericError `empty`, `shape`, `not-finite`, `bad-parameter`; the signal's reason.
 */
export async function fitUmap(
  vectors: Float32Array | Rows,
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
  const all = asRows(vectors, dim);
  const n = all.count;
  if (n < smallestUmap || flat.explained[0] === 0)
    return new UmapProjection(await flat.project(all, { signal }), 'pca', (more, how) =>
      flat.project(more, how),
    );
  const distinct = await distinctRows(all, new Pacer(signal));
  if (distinct.rows.length < n) {
    const own = await fitUmap(chosenRows(all, distinct.rows), dim, options);
    const points = { x: spread(own.x, distinct.of), y: spread(own.y, distinct.of) };
    return new UmapProjection(points, own.method, (more, how) => own.place(more, how));
  }
  const sample = n <= mostLaidOut ? null : sampleOf(n, mostLaidOut, seed);
  const chosen = sample === null ? all : chosenRows(all, sample);
  const fitted = chosen.read(0, chosen.count);
  const width = Math.min(neighbours, chosen.count) - 1;
  const laying = chosen.count / (chosen.count + (n - chosen.count) / placedPerLaidOut);
  const report = (fraction: number): void => onProgress?.(laying * fraction);
  const graph = await neighbourGraph(fitted, dim, width, {
    ...{ metric, signal },
    onProgress: (fraction) => report(neighboursKnown * fraction),
  });
  const layout = await layoutOf(graph, await flat.project(fitted, { signal }), {
    ...{ signal, seed, ...(passes !== undefined && { passes }) },
    onProgress: (fraction) => report(neighboursKnown + (1 - neighboursKnown) * fraction),
  });
  const place: Place = (more, how) =>
    placeAmong(fitted, layout, asRows(more, dim), { ...how, dim, metric, width: width + 1 });
  const points =
    sample === null
      ? layout
      : await placeRest(all, sample, layout, place, {
          signal,
          onProgress: (fraction) => onProgress?.(laying + (1 - laying) * fraction),
        });
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
  more: Rows,
  how: ProjectOptions & { dim: number; metric: 'euclidean' | 'cosine'; width: number },
): Promise<Projection> {
  const { dim, width, signal, onProgress } = how;
  // A fresh index: the layout may be kept for long, a session should not be.
  const index = await ExactIndex.build(fitted, dim, how.metric);
  const { count } = more;
  const placed = { x: new Float32Array(count), y: new Float32Array(count) };
  try {
    for (let first = 0; first < count; first += chunk) {
      const part = more.read(first, Math.min(chunk, count - first));
      const { x, y } = amongNeighbours(await index.query(part, width, signal ? { signal } : {}), layout);
      placed.x.set(x, first);
      placed.y.set(y, first);
      onProgress?.(Math.min(1, (first + chunk) / count));
    }
    return placed;
  } finally {
    await index.close();
  }
}

/** Where all rows lie: those of the sample as laid out, the others among them. */
async function placeRest(
  vectors: Rows,
  sample: readonly number[],
  layout: Projection,
  place: Place,
  options: ProjectOptions,
): Promise<Projection> {
  const { count } = vectors;
  const laid = new Set(sample);
  const rest = Array.from({ length: count }, (_, row) => row).filter((row) => !laid.has(row));
  const placed = await place(chosenRows(vectors, rest), options);
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

const spread = (values: Float32Array, of: Int32Array): Float32Array =>
  Float32Array.from(of, (row) => values[row] ?? NaN);
