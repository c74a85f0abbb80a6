import type { Pacer } from '../numerics/pacer.ts';
import type { LabelledVectors } from '../embeddings/labelled-vectors.ts';
import { at } from '../numerics/vectors.ts';
import { centreOfRows, shareLabel } from './emit.ts';
import { lloyd } from '../numerics/lloyd.ts';

/** What MRHC and its single-label ancestor RHC differ in. */
export interface HomogeneousOptions {
  /** Where k-means starts from in every label. */
  centre: 'median' | 'mean';
  /** Added to every feature before k-means, but not to the starting centres. */
  shift: number;
}

/** The reference of MRHC shifts the features; why is not said, but it decides ties. */
const mrhcOptions: HomogeneousOptions = { centre: 'median', shift: 0.001 };

/**
 * Partition of MRHC (golden/multilabel/SPEC.md §2): clusters are divided by k-means that starts from the median of
 * every label present, until all rows of each share a label. With the guard the reference lacks: when k-means
 * returns one single group, its rows are set apart, where the reference would loop for ever.
 * @throws the pacer's abort reason.
 */
export async function mrhcCells(
  data: LabelledVectors,
  pacer: Pacer,
  onProgress?: (fraction: number) => void,
  options = mrhcOptions,
): Promise<Int32Array[]> {
  const labelCount = data.labelNames.length;
  const done: Int32Array[] = [];
  let settled = 0;
  const stack: Int32Array[] = [Int32Array.from({ length: data.count }, (_, row) => row)];
  for (let cell = stack.pop(); cell !== undefined; cell = stack.pop()) {
    if (cell.length === 1 || shareLabel(data.labels, labelCount, cell)) {
      done.push(cell);
      settled += cell.length;
    } else for (const group of await divide(data, cell, pacer, options)) stack.push(group);
    if (pacer.due(cell.length * labelCount)) {
      onProgress?.(settled / data.count);
      await pacer.pause();
    }
  }
  return done;
}

async function divide(
  data: LabelledVectors,
  cell: Int32Array,
  pacer: Pacer,
  { centre, shift }: HomogeneousOptions,
): Promise<Int32Array[]> {
  const { dim } = data;
  const labelCount = data.labelNames.length;
  const bearers: Int32Array[] = [];
  for (let l = 0; l < labelCount; l++) {
    const rows = cell.filter((row) => data.labels[row * labelCount + l] === 1);
    if (rows.length > 0) bearers.push(rows);
  }
  const singles = (): Int32Array[] => Array.from(cell, (row) => Int32Array.of(row));
  if (bearers.length < 2 || cell.length <= bearers.length) return singles();

  const centres = new Float64Array(bearers.length * dim);
  for (const [i, rows] of bearers.entries()) {
    await centreOfRows(data, rows, centre, centres.subarray(i * dim, (i + 1) * dim), pacer);
  }
  const points = new Float64Array(cell.length * dim);
  for (const [i, row] of cell.entries())
    for (let d = 0; d < dim; d++) points[i * dim + d] = at(data.features, row * dim + d) + shift;
  const labels = await lloyd(points, dim, centres, pacer);
  const groups = bearers
    .map((_, cluster) => cell.filter((_row, i) => labels[i] === cluster))
    .filter((group) => group.length > 0);
  return groups.length === 1 ? singles() : groups;
}
