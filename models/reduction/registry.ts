import { ReductionError } from '../knn/errors.ts';
import type { Pacer } from '../knn/pacer.ts';
import type { MultilabelSet } from '../knn/set.ts';
import { Random } from '../random.ts';
import { keptRows, labelKMeans, randomRows, stratifiedRows } from './baselines.ts';
import { targetSize } from './chen.ts';
import type { RowDistances } from './distances.ts';
import { emitMajority, emitPerLabelset, type Emitted } from './emit.ts';
import { chenReduction } from './mchen.ts';
import { mrhcCells } from './mrhc.ts';
import { mrsp2Cells } from './mrsp2.ts';
import { mrsp3Cells } from './mrsp3.ts';

/** Parameters of a reduction; which of them a method takes is stated by its registry entry. */
export type ReductionParameters = Readonly<Record<string, number | string | boolean>>;

/** One number a method takes. */
export interface ReductionParameter {
  name: string;
  title: string;
  /** Exclusive lower and inclusive upper end. */
  above: number;
  atMost: number;
  default: number;
  unit: string;
}

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
  parameters: readonly ReductionParameter[];
  run(data: MultilabelSet, parameters: ReductionParameters, context: ReductionContext): Promise<Emitted>;
}

/** The percentage `p`: with MChen the size itself, with MRSP1 and MRSP2 the number of cells. */
const percentage: ReductionParameter = {
  name: 'p',
  title: 'Size',
  above: 0,
  atMost: 100,
  default: 10,
  unit: '%',
};

/** Names accepted by `reduce`. */
export type ReductionMethod =
  'MChen' | 'MRSP1' | 'MRSP2' | 'MRSP3' | 'MRHC' | 'random' | 'stratified' | 'kmeans';

/** Every method there is, in the order they are offered. */
export const reductionMethods: readonly ReductionMethodEntry[] = [
  {
    name: 'MChen',
    title: 'MChen',
    description:
      'Splits the widest mixed cluster until p % clusters are left, then keeps one median each. May stop short of p when identical tracks have different labels.',
    kind: 'generation',
    seeded: false,
    parameters: [percentage],
    run: (data, parameters, { pacer, onProgress, distances }) =>
      chenReduction(data, percentageOf(parameters), 'MChen', pacer, onProgress, distances),
  },
  {
    name: 'MRSP1',
    title: 'MRSP1',
    description:
      'As MChen, but keeps one median per labelset in each cluster: p counts clusters, the reduced set is larger.',
    kind: 'generation',
    seeded: false,
    parameters: [percentage],
    run: (data, parameters, { pacer, onProgress, distances }) =>
      chenReduction(data, percentageOf(parameters), 'MRSP1', pacer, onProgress, distances),
  },
  {
    name: 'MRSP2',
    title: 'MRSP2 (corrected)',
    description:
      'As MRSP1, but splits the cluster whose labelsets overlap most. The published code measures the overlap on the wrong tracks; this one does not.',
    kind: 'generation',
    seeded: false,
    parameters: [percentage],
    run: async (data, parameters, { pacer, onProgress, distances }) => {
      const cells = await mrsp2Cells(
        data,
        targetSize(percentageOf(parameters), data.count),
        pacer,
        onProgress,
        distances,
      );
      return emitPerLabelset(data, cells, pacer);
    },
  },
  {
    name: 'MRSP3',
    title: 'MRSP3',
    description:
      'Halves clusters until all tracks of each share a label; chooses the size itself. Tracks without labels are all kept.',
    kind: 'generation',
    seeded: false,
    parameters: [],
    run: async (data, _parameters, { pacer, onProgress, distances }) =>
      emitMajority(data, await mrsp3Cells(data, pacer, onProgress, distances), pacer),
  },
  {
    name: 'MRHC',
    title: 'MRHC',
    description:
      'Divides clusters by k-means from the labels’ medians until all tracks of each share a label; chooses the size itself. Tracks without labels are all kept.',
    kind: 'generation',
    seeded: false,
    parameters: [],
    run: async (data, _parameters, { pacer, onProgress }) =>
      emitMajority(data, await mrhcCells(data, pacer, onProgress), pacer),
  },
  {
    name: 'random',
    title: 'Random tracks',
    description: 'Keeps p % of the tracks, drawn at random.',
    kind: 'baseline',
    seeded: true,
    parameters: [percentage],
    run: (data, parameters, { random, pacer }) =>
      emitMajority(
        data,
        randomRows(data, keptRows(targetSize(percentageOf(parameters), data.count)), random),
        pacer,
      ),
  },
  {
    name: 'stratified',
    title: 'Random tracks per labelset',
    description: 'Keeps p % of the tracks, drawn at random so that every labelset keeps its share.',
    kind: 'baseline',
    seeded: true,
    parameters: [percentage],
    run: (data, parameters, { random, pacer }) =>
      emitMajority(
        data,
        stratifiedRows(data, keptRows(targetSize(percentageOf(parameters), data.count)), random),
        pacer,
      ),
  },
  {
    name: 'kmeans',
    title: 'k-means per label',
    description: 'p % of each label’s tracks as k-means centres. Tracks without labels are left out.',
    kind: 'baseline',
    seeded: true,
    parameters: [percentage],
    run: (data, parameters, { random, pacer, onProgress }) => {
      const p = percentageOf(parameters);
      targetSize(p, data.count);
      return labelKMeans(data, p, random, pacer, onProgress);
    },
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

function percentageOf(parameters: ReductionParameters): number {
  const value = parameters['p'] ?? percentage.default;
  return typeof value === 'number' ? value : NaN;
}
