import { ReductionError } from '../knn/errors.ts';
import { Pacer } from '../knn/pacer.ts';
import { checkSet, type MultilabelSet } from '../knn/set.ts';
import { Random } from '../random.ts';
import type { RowDistances } from './distances.ts';
import { findReductionMethod, type ReductionMethod, type ReductionParameters } from './registry.ts';

export { ReductionError, type ReductionErrorCode } from '../knn/errors.ts';
export type { MultilabelSet } from '../knn/set.ts';
export {
  findReductionMethod,
  reductionMethods,
  type ReductionMethod,
  type ReductionMethodEntry,
  type ReductionParameter,
  type ReductionParameters,
} from './registry.ts';
export { RowDistances } from './distances.ts';
export { chenPath, ChenPath, targetSize } from './chen.ts';
export { prototypesAt, type ChenMethod } from './mchen.ts';

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
 * @throws ReductionError for an unknown method, bad parameters, or a set that is empty, unlabelled, malformed or
 * not finite.
 */
export async function reduce(
  method: ReductionMethod,
  data: MultilabelSet,
  parameters: ReductionParameters,
  options: ReduceOptions,
): Promise<ReductionResult> {
  const entry = findReductionMethod(method);
  const filled = fillParameters(entry.name, entry.parameters, parameters);
  const pacer = new Pacer(options.signal);
  await checkSet(data, pacer);
  const onProgress = options.onProgress ? rising(options.onProgress) : undefined;
  const emitted = await entry.run(data, filled, {
    random: new Random(options.seed),
    pacer,
    onProgress,
    distances: options.distances,
  });
  onProgress?.(1);
  return {
    method: entry.name,
    parameters: filled,
    prototypes: Float32Array.from(emitted.prototypes),
    exactPrototypes: emitted.prototypes,
    labelsets: emitted.labelsets,
    clusters: emitted.clusters.map((rows) => Array.from(rows)),
  };
}

/** The reduced set as training data for the kNN classifiers, at full precision. */
export function toMultilabelSet(result: ReductionResult, source: MultilabelSet): MultilabelSet {
  return {
    features: result.exactPrototypes,
    count: result.clusters.length,
    dim: source.dim,
    labels: result.labelsets,
    labelNames: source.labelNames,
  };
}

function fillParameters(
  method: string,
  known: readonly { name: string; above: number; atMost: number; default: number }[],
  given: ReductionParameters,
): Record<string, number> {
  for (const name of Object.keys(given))
    if (!known.some((parameter) => parameter.name === name))
      throw new ReductionError('bad-parameter', `${method} takes no parameter “${name}”.`, 'Leave it out.');
  const filled: Record<string, number> = {};
  for (const { name, above, atMost, default: standard } of known) {
    const value = given[name] ?? standard;
    if (typeof value !== 'number' || !(value > above && value <= atMost))
      throw new ReductionError(
        'bad-parameter',
        `${method}: ${name} must be above ${above} and at most ${atMost}, not ${String(value)}.`,
        `Try ${name} = ${standard}.`,
      );
    filled[name] = value;
  }
  return filled;
}

function rising(report: (fraction: number) => void): (fraction: number) => void {
  let highest = -1;
  return (fraction) => {
    if (fraction <= highest) return;
    highest = fraction;
    report(Math.min(1, fraction));
  };
}
