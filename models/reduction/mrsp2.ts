import type { Pacer } from '../numerics/pacer.ts';
import { labelsetIds, type LabelledVectors } from '../embeddings/labelled-vectors.ts';
import type { Cell } from './cells.ts';
import { RowDistances } from './distances.ts';
import { FarthestPairs } from './farthest.ts';
import { Heap } from './heap.ts';
import { Overlaps } from './overlap.ts';
import { SplitRun, type SplitPath } from './splitPath.ts';

/** Overlaps up to this count as none. */
export const leastOverlap = 0.001;
/** The sampled variant estimates the overlap of a larger cell from so many of its rows: some 130,000 pairs. */
export const sampledOverlapRows = 512;
/** Share of the work that the first farthest pair takes in reported progress. */
const firstPairShare = 0.3;

interface Candidate {
  id: number;
  cell: Cell;
  /** What decides the next split: overlap, or the diameter in the fallback. */
  weight: number;
  place: number;
}

/**
 * MRSP2 as intended (`MRSP2fix` of golden/multilabel/SPEC.md §5) to `cells` cells: the cell of largest overlap is
 * split, overlap = mean distance of rows with different labelsets / mean distance of rows with equal ones, over the
 * cell's own rows. When no cell overlaps, the largest diameter is split. First in order on ties.
 * The published code computes the overlap on unrelated rows; for that see `mrsp2Reference.ts`.
 * @param mostRows the overlap of a larger cell is estimated from so many of its rows (ADR 32); by default from all
 * @throws the pacer's abort reason.
 */
export async function mrsp2Path(
  data: LabelledVectors,
  cells: number,
  pacer: Pacer,
  onProgress?: (fraction: number) => void,
  distances = new RowDistances(data.features, data.count, data.dim),
  mostRows = Infinity,
): Promise<SplitPath> {
  const { ids } = labelsetIds(data.labels, data.count, data.labelNames.length);
  const run = new SplitRun(data.count, cells);
  if (run.splits === 0) return run.path(Int32Array.from({ length: data.count }, (_, row) => row));
  const root = await distances.root(pacer);
  const farthest = new FarthestPairs(distances, pacer);
  await farthest.of(root, (fraction) => onProgress?.(fraction * firstPairShare));
  const overlaps = new Overlaps(distances, root, ids, pacer, mostRows);

  const overlapping = new Heap<Candidate>(isBefore);
  const byDiameter = new Heap<Candidate>(isBefore);
  let waiting: Candidate[] = [];
  let places = 1;
  const add = (id: number, cell: Cell, weight: number): void => {
    const candidate = { id, cell, weight, place: places++ };
    if (weight > leastOverlap) overlapping.push(candidate);
    else if (cell.rows.length > 1) waiting.push(candidate);
  };
  const choose = async (): Promise<Candidate | undefined> => {
    if (overlapping.size > 0) return overlapping.pop();
    for (const candidate of waiting)
      byDiameter.push({ ...candidate, weight: (await farthest.of(candidate.cell)).distance });
    waiting = [];
    return byDiameter.pop();
  };

  let next: Candidate | undefined = { id: 1, cell: root, weight: 0, place: 0 };
  while (next !== undefined) {
    const { id, cell } = next;
    const [near, rest] = await farthest.split(cell, await farthest.of(cell));
    const restId = run.record(id, near.rows.length);
    onProgress?.(firstPairShare + (1 - firstPairShare) * run.fraction);
    if (run.done) break;
    if (rest) {
      const [nearOverlap, restOverlap] = await overlaps.ofHalves(cell, near, rest);
      add(id, near, nearOverlap);
      add(restId, rest, restOverlap);
    } else {
      // All rows coincide: the same cell again, behind the others, with no overlap.
      add(id, near, 0);
      places++;
    }
    next = await choose();
  }
  return run.path(root.rows);
}

/** Largest weight first, then by place. */
function isBefore(a: Candidate, b: Candidate): boolean {
  return a.weight > b.weight || (a.weight === b.weight && a.place < b.place);
}
