import { ReductionError } from './errors.ts';
import type { Pacer } from '../numerics/pacer.ts';
import type { LabelledVectors } from '../embeddings/labelled-vectors.ts';
import { Random } from '../numerics/random.ts';
import { keptRows, labelKMeans, randomRows, stratifiedRows } from './baselines.ts';
import type { RowDistances } from './distances.ts';
import { emitMajority, type Emitted } from './emit.ts';
import { excludeParameter, mergingParameter, policyOf, reduceUnderPolicy } from './imbalance.ts';
import { mrhcCells } from './mrhc.ts';
import { mrsp3Cells } from './mrsp3.ts';
import {
  numberOf,
  percentage,
  type ChoiceParameter,
  type ReductionParameter,
  type ReductionParameters,
} from './parameters.ts';
import { pathReduction } from './paths.ts';
import { rhc, rsp3 } from './singleLabel.ts';
import { targetSize } from './splitPath.ts';

const variantParameter: ChoiceParameter = {
  kind: 'choice',
  name: 'variant',
  title: 'Variant',
  options: [
    { value: 'corrected', title: 'Corrected' },
    { value: 'sampled', title: 'Corrected, overlap of large clusters estimated (faster)' },
    { value: 'reference', title: 'As published (for comparison only)' },
  ],
  default: 'corrected',
};

/** What a method needs while it runs. `random` is seeded; methods that do not use it are deterministic. */
export interface ReductionContext {
  random: Random;
  pacer: Pacer;
  onProgress?: ((fraction: number) => void) | undefined;
  /** Distances already at hand for these rows. */
  distances?: RowDistances | undefined;
}

/** A reduction method as the interface and the command line list it. */
export interface ReductionMethodEntry {
  name: ReductionMethod;
  title: string;
  /** One sentence in the user's terms, its limits included. */
  description: string;
  kind: 'generation' | 'baseline';
  /** True when the seed changes the result. */
  seeded: boolean;
  /** True when every row must bear exactly one label. */
  oneLabel: boolean;
  parameters: readonly ReductionParameter[];
  run(data: LabelledVectors, parameters: ReductionParameters, context: ReductionContext): Promise<Emitted>;
}

/** Names accepted by `reduce`. */
export type ReductionMethod =
  'MChen' | 'MRSP1' | 'MRSP2' | 'MRSP3' | 'MRHC' | 'RHC' | 'RSP3' | 'random' | 'stratified' | 'kmeans';

/** Every method there is, in the order they are offered. */
export const reductionMethods: readonly ReductionMethodEntry[] = [
  {
    name: 'MChen',
    title: 'MChen',
    description:
      'Splits the widest mixed cluster until p % clusters are left, then keeps one median each. May stop short of p when identical tracks have different labels.',
    kind: 'generation',
    seeded: false,
    oneLabel: false,
    parameters: [percentage, excludeParameter, mergingParameter],
    run: (data, parameters, context) => pathReduction('MChen', data, parameters, context),
  },
  {
    name: 'MRSP1',
    title: 'MRSP1',
    description:
      'As MChen, but keeps one median per labelset in each cluster: p counts clusters, the reduced set is larger.',
    kind: 'generation',
    seeded: false,
    oneLabel: false,
    parameters: [percentage],
    run: (data, parameters, context) => pathReduction('MRSP1', data, parameters, context),
  },
  {
    name: 'MRSP2',
    title: 'MRSP2',
    description:
      'As MRSP1, but splits the cluster whose labelsets overlap most. The variant “as published” measures the overlap on the wrong tracks and is there for comparison only.',
    kind: 'generation',
    seeded: false,
    oneLabel: false,
    parameters: [percentage, variantParameter],
    run: (data, parameters, context) => pathReduction('MRSP2', data, parameters, context),
  },
  {
    name: 'MRSP3',
    title: 'MRSP3',
    description:
      'Halves clusters until all tracks of each share a label; chooses the size itself. Tracks without labels are all kept.',
    kind: 'generation',
    seeded: false,
    oneLabel: false,
    parameters: [excludeParameter, mergingParameter],
    run: (data, parameters, { pacer, onProgress, distances }) =>
      reduceUnderPolicy(data, policyOf(parameters), pacer, (part) =>
        mrsp3Cells(part, pacer, onProgress, part === data ? distances : undefined),
      ),
  },
  {
    name: 'MRHC',
    title: 'MRHC',
    description:
      'Divides clusters by k-means from the labels’ medians until all tracks of each share a label; chooses the size itself. Tracks without labels are all kept.',
    kind: 'generation',
    seeded: false,
    oneLabel: false,
    parameters: [excludeParameter, mergingParameter],
    run: (data, parameters, { pacer, onProgress }) =>
      reduceUnderPolicy(data, policyOf(parameters), pacer, (part) => mrhcCells(part, pacer, onProgress)),
  },
  {
    name: 'RHC',
    title: 'RHC',
    description:
      'MRHC’s ancestor, with means instead of medians; chooses the size itself. Only for tracks with exactly one label each.',
    kind: 'baseline',
    seeded: false,
    oneLabel: true,
    parameters: [],
    run: (data, _parameters, { pacer, onProgress }) => rhc(data, pacer, onProgress),
  },
  {
    name: 'RSP3',
    title: 'RSP3',
    description:
      'MRSP3’s ancestor, with means instead of medians; chooses the size itself. Only for tracks with exactly one label each.',
    kind: 'baseline',
    seeded: false,
    oneLabel: true,
    parameters: [],
    run: (data, _parameters, { pacer, onProgress, distances }) => rsp3(data, pacer, onProgress, distances),
  },
  {
    name: 'random',
    title: 'Random tracks',
    description: 'Keeps p % of the tracks, drawn at random.',
    kind: 'baseline',
    seeded: true,
    oneLabel: false,
    parameters: [percentage],
    run: (data, parameters, { random, pacer }) =>
      emitMajority(data, randomRows(data, keptRows(sizeOf(data, parameters)), random), pacer),
  },
  {
    name: 'stratified',
    title: 'Random tracks per labelset',
    description: 'Keeps p % of the tracks, drawn at random so that every labelset keeps its share.',
    kind: 'baseline',
    seeded: true,
    oneLabel: false,
    parameters: [percentage],
    run: (data, parameters, { random, pacer }) =>
      emitMajority(data, stratifiedRows(data, keptRows(sizeOf(data, parameters)), random), pacer),
  },
  {
    name: 'kmeans',
    title: 'k-means per label',
    description: 'p % of each label’s tracks as k-means centres. Tracks without labels are left out.',
    kind: 'baseline',
    seeded: true,
    oneLabel: false,
    parameters: [percentage],
    run: (data, parameters, { random, pacer, onProgress }) =>
      labelKMeans(data, numberOf(parameters, 'p'), random, pacer, onProgress),
  },
];

/** @throws ReductionError `unknown-method` listing the names there are. */
export function findReductionMethod(name: string): ReductionMethodEntry {
  const found = reductionMethods.find((method) => method.name === name);
  if (found) return found;
  throw new ReductionError(
    'unknown-method',
    `There is no reduction method “${name}”.`,
    `Choose one of ${reductionMethods.map((method) => method.name).join(', ')}.`,
  );
}

function sizeOf(data: LabelledVectors, parameters: ReductionParameters): number {
  return targetSize(numberOf(parameters, 'p'), data.count);
}
