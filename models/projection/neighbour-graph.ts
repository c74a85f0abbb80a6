import { ExactIndex } from '../neighbours/exact.ts';
import type { Metric } from '../neighbours/brute.ts';
import { asRows, type Rows } from '../neighbours/rows.ts';
import type { ProjectOptions } from './types.ts';

/** The nearest others of every row. */
export interface NeighbourGraph {
  count: number;
  /** Neighbours per row. */
  width: number;
  /** `[count, width]`, nearest first; a row is not among its own. */
  rows: Int32Array;
  /** `[count, width]`: Euclidean or cosine distances. */
  distances: Float32Array;
}

/** Rows asked for at once: a few hundred milliseconds at a hundred thousand rows. */
const chunk = 512;

/**
 * Exact neighbours of every row among the others.
 * @param vectors rows, or `[count, dim]`; finite, at least two
 * @param width neighbours per row, at most count − 1
 * @throws NumericError `empty`, `shape`, `not-finite`; the signal's reason
 */
export async function neighbourGraph(
  vectors: Float32Array | Rows,
  dim: number,
  width: number,
  { metric = 'euclidean', signal, onProgress }: ProjectOptions & { metric?: Metric } = {},
): Promise<NeighbourGraph> {
  const all = asRows(vectors, dim);
  const index = await (vectors instanceof Float32Array
    ? ExactIndex.build(vectors, dim, metric)
    : ExactIndex.over(all, metric));
  try {
    const { count } = index;
    const graph = {
      count,
      width,
      rows: new Int32Array(count * width),
      distances: new Float32Array(count * width),
    };
    for (let first = 0; first < count; first += chunk) {
      signal?.throwIfAborted();
      const last = Math.min(count, first + chunk);
      const found = await index.nearest(all.read(first, last - first), width + 1, { signal });
      for (let row = first; row < last; row++)
        takeOthers(graph, row, found, (row - first) * (width + 1), metric);
      onProgress?.(last / count);
    }
    return graph;
  } finally {
    await index.close();
  }
}

/** Copies of a row may come before it, so that it is not always its own first; where it is missing the last is left out. */
function takeOthers(
  { width, rows, distances }: NeighbourGraph,
  row: number,
  found: { rows: Int32Array; distances: Float64Array },
  from: number,
  metric: Metric,
): void {
  let to = row * width;
  for (let i = from; to < (row + 1) * width; i++) {
    const other = found.rows[i] as number;
    if (other === row) continue;
    const distance = found.distances[i] as number;
    rows[to] = other;
    distances[to] = metric === 'euclidean' ? Math.sqrt(distance) : distance;
    to++;
  }
}
