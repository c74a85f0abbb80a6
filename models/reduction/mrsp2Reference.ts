import type { Pacer } from '../knn/pacer.ts';
import { labelsetIds, type MultilabelSet } from '../knn/set.ts';
import { at } from '../knn/vectors.ts';
import { RowDistances } from './distances.ts';
import { FarthestPairs } from './farthest.ts';
import { Heap } from './heap.ts';
import { MersenneTwister } from './mersenne.ts';
import { leastOverlap, overlapOf } from './mrsp2.ts';
import { SplitPath } from './splitPath.ts';

/** Seed of the published experiments. */
const publishedSeed = 123;

interface Cell {
  id: number;
  overlap: number;
  stamp: number;
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
  data: MultilabelSet,
  cells: number,
  pacer: Pacer,
  onProgress?: (fraction: number) => void,
  distances = new RowDistances(data.features, data.count, data.dim),
  pick?: CellPick,
): Promise<SplitPath> {
  const order = Int32Array.from({ length: data.count }, (_, row) => row);
  const splits = Math.min(Math.max(1, cells), data.count) - 1;
  const splitIds = new Int32Array(splits);
  const middles = new Int32Array(splits);
  if (splits === 0) return new SplitPath(order, splitIds, middles);
  await distances.keep(pacer, (fraction) => onProgress?.(fraction / 4));
  const overlaps = await prefixOverlaps(data, distances, pacer, (fraction) =>
    onProgress?.(0.25 + fraction / 4),
  );
  const farthest = new FarthestPairs(distances, await distances.farthestBounds(pacer), pacer);
  const random = new MersenneTwister(publishedSeed);
  const draw = pick ?? ((ids: readonly number[]) => ids[random.integer(ids.length)] ?? 1);

  const overlapping = new Heap<Cell>(
    (a, b) => a.overlap > b.overlap || (a.overlap === b.overlap && a.stamp < b.stamp),
  );
  const ranges = new Map<number, [number, number]>([[1, [0, data.count]]]);
  const ids = [1];
  let stamp = 0;
  const add = (id: number, start: number, end: number): void => {
    ranges.set(id, [start, end]);
    ids.push(id);
    const overlap = at(overlaps, end - start);
    if (overlap > leastOverlap) overlapping.push({ id, overlap, stamp });
    stamp++;
  };
  const choose = (): number => {
    const top = overlapping.pop();
    if (top !== undefined) return top.id;
    for (;;) {
      const id = draw(ids);
      const [start, end] = ranges.get(id) ?? [0, 0];
      if (end > start) return id;
    }
  };

  let id = 1;
  for (let made = 0; made < splits; made++) {
    const [start, end] = ranges.get(id) ?? [0, 0];
    const rows = order.subarray(start, end);
    const middle = start + (await farthest.split(rows, await farthest.of(rows)));
    splitIds[made] = id;
    middles[made] = middle;
    ids.splice(ids.indexOf(id), 1);
    add(id, start, middle);
    add(made + 2, middle, end);
    onProgress?.(0.5 + (made + 1) / splits / 2);
    if (made + 1 < splits) id = choose();
    if (pacer.due(ids.length)) await pacer.pause();
  }
  return new SplitPath(order, splitIds, middles);
}

/** Overlap of the first m rows of the data, for every m in 0..count. */
async function prefixOverlaps(
  data: MultilabelSet,
  distances: RowDistances,
  pacer: Pacer,
  onProgress: (fraction: number) => void,
): Promise<Float64Array> {
  const { ids } = labelsetIds(data.labels, data.count, data.labelNames.length);
  const overlaps = new Float64Array(data.count + 1);
  let [differentSum, different, equalSum, equal] = [0, 0, 0, 0];
  for (let row = 0; row < data.count; row++) {
    for (let other = 0; other < row; other++) {
      const d = distances.between(other, row);
      if (at(ids, other) === at(ids, row)) {
        equalSum += d;
        equal++;
      } else {
        differentSum += d;
        different++;
      }
      if (pacer.due(distances.cost)) {
        onProgress(row ** 2 / data.count ** 2);
        await pacer.pause();
      }
    }
    overlaps[row + 1] = overlapOf(differentSum, different, equalSum, equal);
  }
  return overlaps;
}
