import type { Pacer } from './pacer.ts';
import { at } from './vectors.ts';
import { squaredDistancePairwise } from './distances.ts';
import { ensureBytes, firstAddress, instantiateKernel, makeMemory } from './kernel.ts';

/** When {@link lloyd} ends, unless no row changes its cluster before. */
export interface LloydOptions {
  /** 300 by default. */
  maxIterations?: number;
  /** Summed squared shift of the centres, in units of the mean variance of a component; 1e-4 by default. */
  tolerance?: number;
}

/**
 * Textbook Lloyd k-means in float64 from given centres, fully specified so that ties cannot differ between runs
 * (golden/multilabel/SPEC.md §2): first centre on equal distances; empty clusters, in ascending order, take the rows
 * farthest from their centres, the lower row on ties.
 * @param points `[n, dim]` · @param centres `[k, dim]`, replaced by the final centres
 * @returns the cluster number of every row.
 */
export async function lloyd(
  points: Float64Array,
  dim: number,
  centres: Float64Array,
  pacer: Pacer,
  { maxIterations = 300, tolerance = 1e-4 }: LloydOptions = {},
): Promise<Int32Array> {
  const n = points.length / dim;
  const k = centres.length / dim;
  const stopShift = (await meanVariance(points, dim, pacer)) * tolerance;
  let previous = new Int32Array(n).fill(-1);
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    const { labels, squared } = await assign(points, dim, centres, pacer);
    const next = new Float64Array(k * dim);
    const weights = new Float64Array(k);
    for (let row = 0; row < n; row++) {
      addRow(points, dim, row, labels[row] as number, next, weights);
      if (pacer.due(dim)) await pacer.pause();
    }
    refillEmpty(points, dim, labels, squared, next, weights);
    toMeans(next, dim, weights);
    const shift = squaredDistancePairwise(next, 0, centres, 0, k * dim);
    centres.set(next);
    if (sameLabels(labels, previous)) return labels;
    if (shift <= stopShift) break;
    previous = labels;
  }
  return (await assign(points, dim, centres, pacer)).labels;
}

function sameLabels(a: Int32Array, b: Int32Array): boolean {
  for (let row = 0; row < a.length; row++) if (a[row] !== b[row]) return false;
  return true;
}

/** Bytes of points handed to the kernel at a time. */
const chunkBytes = 1 << 20;
/** Multiply-adds of one call of the kernel: about a millisecond. */
const callWork = 1 << 21;

// One memory for all runs: a run may be interrupted by another between two calls, and a reduction clusters hundreds
// of times, each of which would otherwise reserve gigabytes of addresses.
let memory: WebAssembly.Memory | null = null;
let kernel: ReturnType<typeof instantiateKernel> | null = null;
/** Whose centres the memory holds. */
let tenant: object | null = null;

/** Finds the nearest centre of every point with the kernel, a chunk at a time. */
async function assign(
  points: Float64Array,
  dim: number,
  centres: Float64Array,
  pacer: Pacer,
): Promise<{ labels: Int32Array<ArrayBuffer>; squared: Float64Array }> {
  const n = points.length / dim;
  const k = centres.length / dim;
  const wanted = Math.min(chunkBytes / (8 * dim), callWork / (k * dim));
  const chunk = Math.min(n, Math.max(1, Math.floor(wanted)));
  const pointsAt = firstAddress + centres.length * 8;
  const distancesAt = pointsAt + chunk * dim * 8;
  const labelsAt = distancesAt + chunk * 8;
  memory ??= makeMemory(1);
  kernel ??= instantiateKernel(memory);
  ensureBytes(memory, labelsAt + chunk * 4);
  const labels = new Int32Array(n);
  const squared = new Float64Array(n);
  const self = {};
  for (let start = 0; start < n; start += chunk) {
    const rows = Math.min(chunk, n - start);
    const block = points.subarray(start * dim, (start + rows) * dim);
    if (tenant !== self) new Float64Array(memory.buffer, firstAddress, centres.length).set(centres);
    tenant = self;
    new Float64Array(memory.buffer, pointsAt, block.length).set(block);
    kernel.assign(pointsAt, rows, firstAddress, k, dim, labelsAt, distancesAt);
    labels.set(new Int32Array(memory.buffer, labelsAt, rows), start);
    squared.set(new Float64Array(memory.buffer, distancesAt, rows), start);
    if (pacer.due((rows * k * dim) / 2)) await pacer.pause();
  }
  return { labels, squared };
}

function addRow(
  points: Float64Array,
  dim: number,
  row: number,
  cluster: number,
  sums: Float64Array,
  weights: Float64Array,
): void {
  weights[cluster] = (weights[cluster] as number) + 1;
  for (let d = 0, to = cluster * dim, from = row * dim; d < dim; d++, to++, from++)
    sums[to] = (sums[to] as number) + (points[from] as number);
}

function refillEmpty(
  points: Float64Array,
  dim: number,
  labels: Int32Array,
  squared: Float64Array,
  sums: Float64Array,
  weights: Float64Array,
): void {
  const empty = [...weights.keys()].filter((cluster) => at(weights, cluster) === 0);
  if (empty.length === 0 || !squared.some((d) => d > 0)) return;
  const farthest = [...squared.keys()].sort((a, b) => at(squared, b) - at(squared, a) || a - b);
  for (const [i, cluster] of empty.entries()) {
    const row = farthest[i];
    if (row === undefined) return;
    const old = at(labels, row);
    for (let d = 0; d < dim; d++) {
      const value = at(points, row * dim + d);
      sums[old * dim + d] = at(sums, old * dim + d) - value;
      sums[cluster * dim + d] = value;
    }
    weights[cluster] = 1;
    weights[old] = at(weights, old) - 1;
  }
}

function toMeans(sums: Float64Array, dim: number, weights: Float64Array): void {
  let heaviest = 0;
  for (let c = 0; c < weights.length; c++) {
    if (at(weights, c) > at(weights, heaviest)) heaviest = c;
    if (at(weights, c) > 0)
      for (let d = 0; d < dim; d++) sums[c * dim + d] = at(sums, c * dim + d) / at(weights, c);
  }
  const source = sums.slice(heaviest * dim, (heaviest + 1) * dim);
  for (let c = 0; c < weights.length; c++) if (at(weights, c) <= 0) sums.set(source, c * dim);
}

async function meanVariance(points: Float64Array, dim: number, pacer: Pacer): Promise<number> {
  const n = points.length / dim;
  const means = new Float64Array(dim);
  const squares = new Float64Array(dim);
  // Row by row, which is how the values lie in memory; every component still adds up in row order.
  for (let row = 0; row < n; row++) {
    for (let d = 0, i = row * dim; d < dim; d++, i++)
      means[d] = (means[d] as number) + (points[i] as number) / n;
    if (pacer.due(dim)) await pacer.pause();
  }
  for (let row = 0; row < n; row++) {
    for (let d = 0, i = row * dim; d < dim; d++, i++) {
      const off = (points[i] as number) - (means[d] as number);
      squares[d] = (squares[d] as number) + (off * off) / n;
    }
    if (pacer.due(dim)) await pacer.pause();
  }
  return squares.reduce((sum, value) => sum + value, 0) / dim;
}
