import type { Pacer } from '../numerics/pacer.ts';
import { labelsetIds, type LabelledVectors } from '../embeddings/labelled-vectors.ts';
import { at } from '../numerics/vectors.ts';
import type { Cell } from './cells.ts';
import { RowDistances } from './distances.ts';
import { FarthestPairs } from './farthest.ts';
import { Heap } from './heap.ts';
import { PythonRandom } from '../numerics/python-random.ts';
import { leastOverlap } from './mrsp2.ts';
import { overlapOf } from './overlap.ts';
import { Panel } from './panels.ts';
import { SplitRun, type SplitPath } from './splitPath.ts';

/** Seed of the published experiments. */
const publishedSeed = 123;

interface Candidate {
  id: number;
  overlap: number;
  place: number;
}

/** Chooses a cell when none overlaps: the ids of all cells in order → one of them. Asked again while it is empty. */
export type CellPick = (ids: readonly number[]) => number;

/**
 * MRSP2 as published, its defect included (golden/multilabel/SPEC.md §5), for comparison only: the overlap of a cell
 * of m rows is computed on the *first m rows of the data*, whatever the cell holds; when no cell overlaps, cells are
 * drawn at random, singletons included, with Python's generator seeded 123.
 * @param pick replaces the random draw
 * @throws the pacer's abort reason.
 */
export async function mrsp2ReferencePath(
  data: LabelledVectors,
  cells: number,
  pacer: Pacer,
  onProgress?: (fraction: number) => void,
  distances = new RowDistances(data.features, data.count, data.dim),
  pick?: CellPick,
): Promise<SplitPath> {
  const run = new SplitRun(data.count, cells);
  if (run.splits === 0) return run.path(Int32Array.from({ length: data.count }, (_, row) => row));
  const root = await distances.root(pacer);
  const overlaps = await prefixOverlaps(data, distances, pacer, (fraction) => onProgress?.(fraction / 2));
  const farthest = new FarthestPairs(distances, pacer);
  const random = new PythonRandom(publishedSeed);
  const draw = pick ?? ((ids: readonly number[]) => ids[random.below(ids.length)] ?? 1);

  const overlapping = new Heap<Candidate>(
    (a, b) => a.overlap > b.overlap || (a.overlap === b.overlap && a.place < b.place),
  );
  // Empty cells stay in the order, and may be drawn, but there is nothing to know about them.
  const filled = new Map<number, Cell>([[1, root]]);
  const ids = [1];
  let places = 0;
  const add = (id: number, cell: Cell | null): void => {
    ids.push(id);
    const place = places++;
    if (!cell) return;
    filled.set(id, cell);
    const overlap = at(overlaps, cell.rows.length);
    if (overlap > leastOverlap) overlapping.push({ id, overlap, place });
  };
  const choose = (): number => {
    const top = overlapping.pop();
    if (top !== undefined) return top.id;
    for (;;) {
      const id = draw(ids);
      if (filled.has(id)) return id;
    }
  };

  let id = 1;
  for (;;) {
    const cell = filled.get(id);
    if (!cell) throw new Error(`cell ${id} is empty`);
    const [near, rest] = await farthest.split(cell, await farthest.of(cell));
    const restId = run.record(id, near.rows.length);
    ids.splice(ids.indexOf(id), 1);
    add(id, near);
    add(restId, rest);
    onProgress?.(0.5 + run.fraction / 2);
    if (run.done) return run.path(root.rows);
    if (pacer.due(ids.length)) await pacer.pause();
    id = choose();
  }
}

/** Overlap of the first m rows of the data, for every m in 0..count. */
async function prefixOverlaps(
  data: LabelledVectors,
  distances: RowDistances,
  pacer: Pacer,
  onProgress: (fraction: number) => void,
): Promise<Float64Array> {
  const { count } = data;
  const { ids } = labelsetIds(data.labels, count, data.labelNames.length);
  const equalSums = new Float64Array(count);
  const differentSums = new Float64Array(count);
  const equals = new Float64Array(count);
  const add = (earlier: number, row: number, distance: number): void => {
    const sums = at(ids, earlier) === at(ids, row) ? equalSums : differentSums;
    sums[row] = at(sums, row) + distance;
    if (sums === equalSums) equals[row] = at(equals, row) + 1;
  };
  const size = Math.min(distances.panelSize, count);
  const panels = Array.from(
    { length: Math.ceil(count / size) },
    (_, i) =>
      new Panel(Int32Array.from({ length: Math.min(size, count - i * size) }, (_row, s) => i * size + s)),
  );
  for (const [j, later] of panels.entries()) {
    for (const earlier of panels.slice(0, j + 1)) {
      distances.panels.squares(earlier, later);
      const { values, start, stride } = distances.panels.tile(later);
      for (const [a, row] of earlier.rows.entries())
        for (const [b, other] of later.rows.entries())
          if (row < other) add(row, other, Math.sqrt(at(values, start + a * stride + b)));
      if (pacer.due((size * size * data.dim) / 4)) await pacer.pause();
    }
    onProgress((j + 1) ** 2 / panels.length ** 2);
  }
  const overlaps = new Float64Array(count + 1);
  let [differentSum, different, equalSum, equal] = [0, 0, 0, 0];
  for (let row = 0; row < count; row++) {
    differentSum += at(differentSums, row);
    equalSum += at(equalSums, row);
    equal += at(equals, row);
    different += row - at(equals, row);
    overlaps[row + 1] = overlapOf(differentSum, different, equalSum, equal);
  }
  return overlaps;
}
