import type { Pacer } from '../knn/pacer.ts';
import type { MultilabelSet } from '../knn/set.ts';
import { at, type Vectors } from '../knn/vectors.ts';

/** Prototypes with their labelsets and the training rows behind each. */
export interface Emitted {
  /** `[m, dim]`, before any rounding to float32. */
  prototypes: Float64Array;
  /** `[m, labels]` of 0/1. */
  labelsets: Uint8Array;
  /** Training rows of every prototype, ascending. */
  clusters: Int32Array[];
}

/** Below this size sorting by insertion beats the typed array's own sort. */
const smallSort = 24;

/** Component-wise median of rows: the mean of the two middle values for an even count, as NumPy's. Written to `out`. */
export function medianOfRows(
  features: Vectors,
  dim: number,
  rows: ArrayLike<number>,
  out: Float64Array,
): void {
  const m = rows.length;
  if (m === 1) {
    const offset = at(rows, 0) * dim;
    for (let d = 0; d < dim; d++) out[d] = at(features, offset + d);
    return;
  }
  const column = new Float64Array(m);
  const half = m >> 1;
  for (let d = 0; d < dim; d++) {
    for (let s = 0; s < m; s++) column[s] = at(features, at(rows, s) * dim + d);
    if (m <= smallSort) insertionSort(column);
    else column.sort();
    out[d] = m % 2 === 1 ? at(column, half) : (at(column, half - 1) + at(column, half)) / 2;
  }
}

function insertionSort(values: Float64Array): void {
  for (let i = 1; i < values.length; i++) {
    const value = at(values, i);
    let j = i - 1;
    for (; j >= 0 && at(values, j) > value; j--) values[j + 1] = at(values, j);
    values[j + 1] = value;
  }
}

/** Label on iff more than half of the rows bear it; exactly half is off, so a labelset may be empty. */
export function majorityLabelset(
  labels: Uint8Array,
  labelCount: number,
  rows: ArrayLike<number>,
): Uint8Array {
  const out = new Uint8Array(labelCount);
  const counts = labelCounts(labels, labelCount, rows);
  for (let l = 0; l < labelCount; l++) out[l] = 2 * at(counts, l) > rows.length ? 1 : 0;
  return out;
}

/** How many of the rows bear each label. */
export function labelCounts(labels: Uint8Array, labelCount: number, rows: ArrayLike<number>): Int32Array {
  const counts = new Int32Array(labelCount);
  for (let s = 0; s < rows.length; s++) {
    const offset = at(rows, s) * labelCount;
    for (let l = 0; l < labelCount; l++) counts[l] = at(counts, l) + at(labels, offset + l);
  }
  return counts;
}

/** True when some label is borne by every row. Rows without labels never share one. */
export function shareLabel(labels: Uint8Array, labelCount: number, rows: ArrayLike<number>): boolean {
  return labelCounts(labels, labelCount, rows).includes(rows.length);
}

/** One prototype per cluster: component-wise median and strict-majority labelset (MChen, MRSP3, MRHC). */
export async function emitMajority(
  data: MultilabelSet,
  clusters: Int32Array[],
  pacer: Pacer,
): Promise<Emitted> {
  const labelCount = data.labelNames.length;
  const prototypes = new Float64Array(clusters.length * data.dim);
  const labelsets = new Uint8Array(clusters.length * labelCount);
  for (const [i, rows] of clusters.entries()) {
    medianOfRows(data.features, data.dim, rows, prototypes.subarray(i * data.dim, (i + 1) * data.dim));
    labelsets.set(majorityLabelset(data.labels, labelCount, rows), i * labelCount);
    if (pacer.due(8 * rows.length * data.dim)) await pacer.pause();
  }
  return { prototypes, labelsets, clusters };
}

/**
 * One prototype per cluster and distinct labelset (MRSP1, MRSP2): median of the rows bearing exactly that labelset.
 * Inside a cluster labelsets ascend lexicographically, the first label being most significant.
 */
export async function emitPerLabelset(
  data: MultilabelSet,
  cells: Int32Array[],
  pacer: Pacer,
): Promise<Emitted> {
  const labelCount = data.labelNames.length;
  const bytes = Buffer.from(data.labels.buffer, data.labels.byteOffset, data.labels.byteLength);
  const clusters: Int32Array[] = [];
  for (const cell of cells) {
    const groups = new Map<string, number[]>();
    for (const row of cell) {
      const key = bytes.toString('latin1', row * labelCount, (row + 1) * labelCount);
      const group = groups.get(key);
      if (group) group.push(row);
      else groups.set(key, [row]);
    }
    // Plain code-unit order: exactly the lexicographic order of the 0/1 rows.
    const sorted = [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [, rows] of sorted) clusters.push(Int32Array.from(rows));
    if (pacer.due(cell.length * labelCount)) await pacer.pause();
  }
  // All rows of a group bear the same labelset, so its majority is that labelset.
  return emitMajority(data, clusters, pacer);
}
