import type { Pacer } from '../numerics/pacer.ts';
import type { LabelledVectors } from '../embeddings/labelled-vectors.ts';
import type { Vectors } from '../numerics/vectors.ts';

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

/**
 * Component-wise centre of rows, written to `out[dim]`. The median of an even count is the mean of the two middle
 * values, as NumPy's.
 */
export async function centreOfRows(
  { features, dim }: Pick<LabelledVectors, 'features' | 'dim'>,
  rows: ArrayLike<number>,
  centre: 'median' | 'mean',
  out: Float64Array,
  pacer: Pacer,
): Promise<void> {
  if (rows.length === 1) {
    const offset = (rows[0] as number) * dim;
    for (let d = 0; d < dim; d++) out[d] = features[offset + d] as number;
    if (pacer.due(dim)) await pacer.pause();
    return;
  }
  const column = new Float64Array(rows.length);
  for (let d = 0; d < dim; d++) {
    gatherColumn(features, dim, d, rows, column);
    out[d] = centre === 'median' ? medianOf(column) : meanOf(column);
    if (pacer.due(sortCost * rows.length)) await pacer.pause();
  }
}

/** Work of gathering and sorting one value, in units of the pacer. */
const sortCost = 32;

function gatherColumn(
  features: Vectors,
  dim: number,
  d: number,
  rows: ArrayLike<number>,
  out: Float64Array,
): void {
  for (let s = 0; s < rows.length; s++) out[s] = features[(rows[s] as number) * dim + d] as number;
}

function meanOf(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return sum / values.length;
}

/** Reorders `values`. */
function medianOf(values: Float64Array): number {
  const m = values.length;
  const half = m >> 1;
  if (m <= smallSort) insertionSort(values);
  else select(values, half);
  if (m % 2 === 1) return values[half] as number;
  let below = values[0] as number;
  for (let i = 1; i < half; i++) below = Math.max(below, values[i] as number);
  return (below + (values[half] as number)) / 2;
}

/** Hoare's selection: afterwards the value at `place` is the one sorting would put there, and none before it is larger. */
function select(values: Float64Array, place: number): void {
  let [low, high] = [0, values.length - 1];
  while (low < high) {
    const pivot = values[place] as number;
    let [i, j] = [low, high];
    while (i <= j) {
      while ((values[i] as number) < pivot) i++;
      while ((values[j] as number) > pivot) j--;
      if (i > j) break;
      const value = values[i] as number;
      values[i++] = values[j] as number;
      values[j--] = value;
    }
    if (j < place) low = i;
    if (i > place) high = j;
  }
}

function insertionSort(values: Float64Array): void {
  for (let i = 1; i < values.length; i++) {
    const value = values[i] as number;
    let j = i - 1;
    for (; j >= 0 && (values[j] as number) > value; j--) values[j + 1] = values[j] as number;
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
  for (let l = 0; l < labelCount; l++) out[l] = 2 * (counts[l] as number) > rows.length ? 1 : 0;
  return out;
}

/** How many of the rows bear each label. */
export function labelCounts(labels: Uint8Array, labelCount: number, rows: ArrayLike<number>): Int32Array {
  const counts = new Int32Array(labelCount);
  for (let s = 0; s < rows.length; s++) {
    const offset = (rows[s] as number) * labelCount;
    for (let l = 0; l < labelCount; l++) counts[l] = (counts[l] as number) + (labels[offset + l] as number);
  }
  return counts;
}

/** True when some label is borne by every row. Rows without labels never share one. */
export function shareLabel(labels: Uint8Array, labelCount: number, rows: ArrayLike<number>): boolean {
  return labelCounts(labels, labelCount, rows).includes(rows.length);
}

/** How prototypes are made where it is not by median and strict majority. */
export interface EmitOptions {
  /** Labels of a prototype from how many of its `size` rows bear each. */
  merge?: (counts: Int32Array, size: number) => Uint8Array;
  /** Component-wise centre of a cluster. */
  centre?: 'median' | 'mean';
}

/** One prototype per cluster: component-wise median and strict-majority labelset (MChen, MRSP3, MRHC). */
export async function emitMajority(
  data: LabelledVectors,
  clusters: Int32Array[],
  pacer: Pacer,
  { merge, centre = 'median' }: EmitOptions = {},
): Promise<Emitted> {
  const labelCount = data.labelNames.length;
  const prototypes = new Float64Array(clusters.length * data.dim);
  const labelsets = new Uint8Array(clusters.length * labelCount);
  for (const [i, rows] of clusters.entries()) {
    await centreOfRows(data, rows, centre, prototypes.subarray(i * data.dim, (i + 1) * data.dim), pacer);
    const labelset = merge
      ? merge(labelCounts(data.labels, labelCount, rows), rows.length)
      : majorityLabelset(data.labels, labelCount, rows);
    labelsets.set(labelset, i * labelCount);
  }
  return { prototypes, labelsets, clusters };
}

/**
 * One prototype per cluster and distinct labelset (MRSP1, MRSP2): median of the rows bearing exactly that labelset.
 * Inside a cluster labelsets ascend lexicographically, the first label being most significant.
 */
export async function emitPerLabelset(
  data: LabelledVectors,
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
