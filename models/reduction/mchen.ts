import type { Pacer } from '../knn/pacer.ts';
import type { MultilabelSet } from '../knn/set.ts';
import { chenPath, targetSize, type ChenPath } from './chen.ts';
import type { RowDistances } from './distances.ts';
import { emitMajority, emitPerLabelset, type Emitted } from './emit.ts';

/** What becomes of a cell: one prototype by majority (MChen) or one per distinct labelset (MRSP1). */
export type ChenMethod = 'MChen' | 'MRSP1';

/**
 * The prototypes of MChen or MRSP1 at a percentage, from a splitting run that went at least that far. Calling it for
 * several percentages costs one run of `chenPath` to the largest.
 * @throws ReductionError `bad-parameter` for a percentage outside 0 < p ≤ 100 or beyond the run.
 */
export async function prototypesAt(
  path: ChenPath,
  data: MultilabelSet,
  percentage: number,
  method: ChenMethod,
  pacer: Pacer,
): Promise<Emitted> {
  const cells = path.cellsAt(targetSize(percentage, data.count));
  return method === 'MChen' ? emitMajority(data, cells, pacer) : emitPerLabelset(data, cells, pacer);
}

/** MChen or MRSP1 at one percentage (golden/multilabel/SPEC.md §3, §4). Deterministic. */
export async function chenReduction(
  data: MultilabelSet,
  percentage: number,
  method: ChenMethod,
  pacer: Pacer,
  onProgress?: (fraction: number) => void,
  distances?: RowDistances,
): Promise<Emitted> {
  const path = await chenPath(data, targetSize(percentage, data.count), pacer, onProgress, distances);
  return prototypesAt(path, data, percentage, method, pacer);
}
