import type { Pacer } from '../numerics/pacer.ts';
import type { LabelledVectors } from '../embeddings/labelled-vectors.ts';
import type { Cell } from './cells.ts';
import { RowDistances } from './distances.ts';
import { shareLabel } from './emit.ts';
import { FarthestPairs } from './farthest.ts';

/** Share of the work that the first farthest pair takes in reported progress. */
const firstPairShare = 0.5;

/**
 * Partition of MRSP3 (golden/multilabel/SPEC.md §6): clusters are halved by their farthest pair until all rows of
 * each share a label. Rows without labels share none and end up alone. Order is the reference's stack order.
 * @throws the pacer's abort reason.
 */
export async function mrsp3Cells(
  data: LabelledVectors,
  pacer: Pacer,
  onProgress?: (fraction: number) => void,
  distances = new RowDistances(data.features, data.count, data.dim),
): Promise<Int32Array[]> {
  // One row has no pair to split by: it is its own prototype.
  if (data.count === 1) return [Int32Array.of(0)];
  const root = await distances.root(pacer);
  const farthest = new FarthestPairs(distances, pacer);
  await farthest.of(root, (fraction) => onProgress?.(fraction * firstPairShare));
  const done: Int32Array[] = [];
  let settled = 0;
  const stack: Cell[] = [root];
  for (let cell = stack.pop(); cell !== undefined; cell = stack.pop()) {
    for (const half of await halves(cell, farthest)) {
      const { rows } = half;
      if (rows.length === 1 || shareLabel(data.labels, data.labelNames.length, rows)) {
        done.push(rows.slice().sort());
        settled += rows.length;
      } else stack.push(half);
    }
    if (pacer.due(cell.rows.length * data.labelNames.length)) {
      onProgress?.(firstPairShare + (1 - firstPairShare) * (settled / data.count));
      await pacer.pause();
    }
  }
  return done;
}

async function halves(cell: Cell, farthest: FarthestPairs): Promise<Cell[]> {
  const pair = await farthest.of(cell);
  if (pair.distance > 0) {
    const [near, rest] = await farthest.split(cell, pair);
    if (rest) return [near, rest];
  }
  // Rows that distance cannot tell apart: the last one is set aside, so that splitting ends.
  const [others, last] = await farthest.setAside(cell, largest(cell.rows));
  return last ? [others, last] : [others];
}

function largest(rows: Int32Array): number {
  return rows.reduce((a, b) => Math.max(a, b));
}
