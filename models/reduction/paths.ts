import { ReductionError } from './errors.ts';
import type { Pacer } from '../numerics/pacer.ts';
import type { LabelledVectors } from '../embeddings/labelled-vectors.ts';
import { chenPath } from './chen.ts';
import type { RowDistances } from './distances.ts';
import { emitMajority, emitPerLabelset, type Emitted } from './emit.ts';
import { isPlain, policyOf, reduceUnderPolicy } from './imbalance.ts';
import { mrsp2Path, sampledOverlapRows } from './mrsp2.ts';
import { mrsp2ReferencePath } from './mrsp2Reference.ts';
import { numberOf, type ReductionParameters } from './parameters.ts';
import { targetSize, type SplitPath } from './splitPath.ts';

/** Methods that split one cell after another, so that one run gives every size. */
export type PathMethod = 'MChen' | 'MRSP1' | 'MRSP2';

/** What a run needs besides the data. */
export interface PathContext {
  pacer: Pacer;
  onProgress?: ((fraction: number) => void) | undefined;
  distances?: RowDistances | undefined;
}

/** The splitting run of a method on a set, as far as `cells` cells. */
async function splitPathOf(
  method: PathMethod,
  data: LabelledVectors,
  cells: number,
  parameters: ReductionParameters,
  { pacer, onProgress, distances }: PathContext,
): Promise<SplitPath> {
  if (method === 'MRSP2') {
    const { variant } = parameters;
    if (variant === 'reference') return mrsp2ReferencePath(data, cells, pacer, onProgress, distances);
    const mostRows = variant === 'sampled' ? sampledOverlapRows : Infinity;
    return mrsp2Path(data, cells, pacer, onProgress, distances, mostRows);
  }
  const plain = isPlain(policyOf(parameters));
  return chenPath(data, cells, pacer, onProgress, distances, plain ? 'moved' : 'kept');
}

/**
 * The prototypes of a method at a percentage, from a splitting run that went at least that far.
 * @throws ReductionError `bad-parameter` for a percentage outside 0 < p ≤ 100 or beyond the run.
 */
export async function prototypesAt(
  path: SplitPath,
  data: LabelledVectors,
  percentage: number,
  method: PathMethod,
  pacer: Pacer,
): Promise<Emitted> {
  const cells = path.cellsAt(targetSize(percentage, data.count));
  return method === 'MChen' ? emitMajority(data, cells, pacer) : emitPerLabelset(data, cells, pacer);
}

/**
 * A method at several percentages, from one run to the largest. Deterministic, and each result is the one of a run
 * of its own.
 * @throws ReductionError `bad-parameter` for no percentage, or one outside 0 < p ≤ 100; the pacer's abort reason.
 */
export async function emittedPath(
  method: PathMethod,
  data: LabelledVectors,
  percentages: readonly number[],
  parameters: ReductionParameters,
  context: PathContext,
): Promise<Emitted[]> {
  if (percentages.length === 0)
    throw new ReductionError('bad-parameter', 'No size was asked for.', 'Give at least one percentage.');
  // Checked before the work: a run must not fail at its end.
  for (const percentage of percentages) targetSize(percentage, data.count);
  const largest = Math.max(...percentages);
  const policy = policyOf(parameters);
  if (method !== 'MChen' || isPlain(policy)) {
    const path = await splitPathOf(method, data, targetSize(largest, data.count), parameters, context);
    const results: Emitted[] = [];
    for (const percentage of percentages)
      results.push(await prototypesAt(path, data, percentage, method, context.pacer));
    return results;
  }
  let path: SplitPath | null = null;
  const results: Emitted[] = [];
  for (const percentage of percentages)
    results.push(
      await reduceUnderPolicy(data, policy, context.pacer, async (part) => {
        const distances = part === data ? context.distances : undefined;
        path ??= await splitPathOf(method, part, targetSize(largest, part.count), parameters, {
          ...context,
          distances,
        });
        return path.cellsAt(targetSize(percentage, part.count));
      }),
    );
  return results;
}

/** A method at the one percentage among its parameters (golden/multilabel/SPEC.md §3–§5). */
export async function pathReduction(
  method: PathMethod,
  data: LabelledVectors,
  parameters: ReductionParameters,
  context: PathContext,
): Promise<Emitted> {
  const [emitted] = await emittedPath(method, data, [numberOf(parameters, 'p')], parameters, context);
  if (!emitted) throw new Error('one percentage gives one result');
  return emitted;
}
