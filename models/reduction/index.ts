import { ReductionError } from './errors.ts';
import { Pacer } from '../numerics/pacer.ts';
import { checkSet, type LabelledVectors } from '../embeddings/labelled-vectors.ts';
import { Random } from '../numerics/random.ts';
import type { RowDistances } from './distances.ts';
import type { Emitted } from './emit.ts';
import { fillParameters, type ReductionParameters } from './parameters.ts';
import { emittedPath, type PathMethod } from './paths.ts';
import { findReductionMethod, type ReductionMethod } from './registry.ts';

export { ReductionError } from './errors.ts';
export type {
  ChoiceParameter,
  NumberParameter,
  ReductionParameter,
  ReductionParameters,
} from './parameters.ts';
export {
  findReductionMethod,
  reductionMethods,
  type ReductionMethod,
  type ReductionMethodEntry,
} from './registry.ts';
export { RowDistances } from './distances.ts';
export type { PathMethod } from './paths.ts';

/** A reduced set: generated prototypes with labelsets, and where each comes from. */
export interface ReductionResult {
  method: ReductionMethod;
  /** The parameters in force, defaults filled in. */
  parameters: Record<string, number | string | boolean>;
  /** `[m, dim]`, rounded to float32 for storage, export and sonification. */
  prototypes: Float32Array;
  /** `[m, dim]`, the same before rounding: score with these to match published figures bit for bit. */
  exactPrototypes: Float64Array;
  /** `[m, labels]` of 0/1. */
  labelsets: Uint8Array;
  /** Training rows behind each prototype, ascending; the order of the prototypes is the method's own. */
  clusters: number[][];
}

/** How a reduction run is controlled. */
export interface ReduceOptions {
  /** Any integer; only methods with `seeded` depend on it. */
  seed: number;
  signal: AbortSignal;
  /** Fraction done in 0..1, never falling. */
  onProgress?: (fraction: number) => void;
  /** Distances of these very rows, to share between runs that differ in method, parameters or labels only. */
  distances?: RowDistances;
}

/**
 * Replaces a labelled set by a smaller one. Yields to the event loop at least every few tens of milliseconds, and
 * rejects with the signal's reason soon after an abort. The same input and seed give the same bytes.
 * @throws ReductionError for an unknown method, bad parameters or a set without labels; NumericError for a set that is
 * empty, malformed or not finite; the signal's reason.
 */
export async function reduce(
  method: ReductionMethod,
  data: LabelledVectors,
  parameters: ReductionParameters,
  options: ReduceOptions,
): Promise<ReductionResult> {
  const entry = findReductionMethod(method);
  const filled = fillParameters(entry.name, entry.parameters, parameters);
  const pacer = new Pacer(options.signal);
  await checkSet(data, pacer);
  requireLabels(data);
  const onProgress = options.onProgress ? rising(options.onProgress) : undefined;
  const emitted = await entry.run(data, filled, {
    random: new Random(options.seed),
    pacer,
    onProgress,
    distances: options.distances,
  });
  onProgress?.(1);
  return toResult(entry.name, filled, emitted);
}

/**
 * One run, every size: the reductions `reduce(method, data, {...parameters, p}, options)` gives for each of `ps`, in
 * their order, for little more than the price of the largest.
 * @param ps percentages, 0 < p ≤ 100, at least one
 * @throws as {@link reduce}
 */
export async function reducePath(
  method: PathMethod,
  data: LabelledVectors,
  ps: readonly number[],
  options: ReduceOptions & {
    /** Parameters other than `p`. */
    parameters?: ReductionParameters;
  },
): Promise<ReductionResult[]> {
  const entry = findReductionMethod(method);
  const filled = ps.map((p) => fillParameters(entry.name, entry.parameters, { ...options.parameters, p }));
  const pacer = new Pacer(options.signal);
  await checkSet(data, pacer);
  requireLabels(data);
  const onProgress = options.onProgress ? rising(options.onProgress) : undefined;
  const { distances } = options;
  const emitted = await emittedPath(method, data, ps, filled[0] ?? {}, { pacer, onProgress, distances });
  onProgress?.(1);
  return emitted.map((each, i) => toResult(entry.name, filled[i] ?? {}, each));
}

/** A set nobody labelled would be reduced to prototypes that classify nothing. */
function requireLabels(data: LabelledVectors): void {
  if (!data.labels.includes(1))
    throw new ReductionError(
      'no-labels',
      'No row bears a label.',
      'Label some tracks, or choose another taxonomy.',
    );
}

function toResult(
  method: ReductionMethod,
  parameters: Record<string, number | string>,
  { prototypes, labelsets, clusters }: Emitted,
): ReductionResult {
  return {
    method,
    parameters,
    prototypes: new Float32Array(prototypes),
    exactPrototypes: prototypes,
    labelsets,
    clusters: clusters.map((rows) => Array.from(rows)),
  };
}

/** The reduced set as training data for the kNN classifiers, at full precision. */
export function toLabelledVectors(result: ReductionResult, source: LabelledVectors): LabelledVectors {
  return {
    features: result.exactPrototypes,
    count: result.clusters.length,
    dim: source.dim,
    labels: result.labelsets,
    labelNames: source.labelNames,
  };
}

function rising(report: (fraction: number) => void): (fraction: number) => void {
  let highest = -1;
  return (fraction) => {
    if (fraction <= highest) return;
    highest = fraction;
    report(Math.min(1, fraction));
  };
}
