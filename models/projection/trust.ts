import { NumericError } from '../numerics/errors.ts';
import { ExactIndex, type Neighbour } from '../neighbours/exact.ts';
import type { Metric } from '../neighbours/brute.ts';
import { asRows, type Rows } from '../neighbours/rows.ts';
import { at } from '../numerics/vectors.ts';
import { Random } from '../numerics/random.ts';
import { Pacer } from '../numerics/pacer.ts';
import type { NeighbourGraph } from './neighbour-graph.ts';
import { PlaneIndex } from './plane.ts';
import type { Projection } from './types.ts';

/** Neighbours compared per point, as projections are scored elsewhere (Orange). */
const neighbours = 10;
const sampleRows = 2000;

/**
 * How far to trust the map: the mean share of a point's 10 nearest neighbours that are still among its 10 nearest on
 * the map, 0..1. Neighbours are taken within a seeded sample of at most 2000 points; with 11 points or fewer all
 * others are neighbours, and the answer is 1 without meaning.
 * @throws NumericError `shape` when sizes disagree or there are fewer than 2 points.
 */
export async function projectionTrust(
  vectors: Float32Array | Rows,
  dim: number,
  projection: Projection,
  options: { seed: number; metric?: Metric; signal?: AbortSignal },
): Promise<number> {
  const n = projection.x.length;
  const whole = asRows(vectors, dim);
  if (n < 2 || whole.dim !== dim || whole.count !== n || projection.y.length !== n)
    throw new NumericError('shape', 'Vectors and map differ in size.', 'Compute the map again.');
  const all = Array.from({ length: n }, (_, row) => row);
  const rows = n <= sampleRows ? all : new Random(options.seed).shuffle(all).slice(0, sampleRows);
  const high = new Float32Array(rows.length * dim);
  const low = new Float32Array(rows.length * 2);
  rows.forEach((row, i) => {
    high.set(whole.one(row), i * dim);
    low[2 * i] = at(projection.x, row);
    low[2 * i + 1] = at(projection.y, row);
  });
  const k = Math.min(neighbours, rows.length - 1);
  const before = await others(high, dim, options.metric ?? 'euclidean', k, options.signal);
  const after = await others(low, 2, 'euclidean', k, options.signal);
  let kept = 0;
  before.forEach((own, i) => {
    const there = after[i] ?? [];
    kept += own.filter((row) => there.includes(row)).length;
  });
  return kept / (rows.length * k);
}

/**
 * The same of each point by itself, among all points: the share of its nearest others that are as many nearest on the map.
 * @param graph as many neighbours as are compared
 * @returns `[count]`, 0…1
 * @throws the signal's reason
 */
export async function trustOfPoints(
  { count, width, rows }: NeighbourGraph,
  { x, y }: Projection,
  { signal }: { signal?: AbortSignal } = {},
): Promise<Float32Array> {
  const plane = new PlaneIndex(x, y);
  const pacer = new Pacer(signal);
  const trust = new Float32Array(count);
  for (let row = 0; row < count; row++) {
    const near = new Set(plane.nearest(row, width));
    let kept = 0;
    for (let i = row * width; i < (row + 1) * width; i++) if (near.has(rows[i] as number)) kept++;
    trust[row] = kept / width;
    if (pacer.due(2000)) await pacer.pause();
  }
  return trust;
}

/** The k nearest other rows of every row. */
async function others(
  vectors: Float32Array,
  dim: number,
  metric: Metric,
  k: number,
  signal: AbortSignal | undefined,
): Promise<number[][]> {
  const index = await ExactIndex.build(vectors, dim, metric);
  try {
    const found: Neighbour[][] = await index.query(vectors, k + 1, signal ? { signal } : {});
    return found.map((own, i) =>
      own
        .map(({ row }) => row)
        .filter((row) => row !== i)
        .slice(0, k),
    );
  } finally {
    await index.close();
  }
}
