import { PrototypeError } from './errors.ts';
import type { Normalisation } from './normalisation.ts';

/** The numbers of a prototype network. K prototypes, C classes, D numbers per embedding. */
export interface PrototypeNetworkData {
  classes: string[];
  embeddingDim: number;
  /** How many per class the network was trained with; edits do not change it. */
  prototypesPerClass: number;
  task: 'single' | 'multi';
  normalisation: Normalisation;
  /** [K, D], projected by the adaptor, in the normalised space. */
  prototypes: Float32Array;
  /** [C, K] */
  weights: Float32Array;
  /** [K, D], ≥ 0 and 1 in the mean: how much each number of a prototype counts in the distance; null: all the same. */
  channelWeights?: Float32Array | null;
  /** [C] */
  bias: Float32Array;
  /** τ > 0: probabilities are those of logits/τ. */
  temperature: number;
  /** [K] class index of each prototype; ⌊k / prototypesPerClass⌋ when left out. */
  prototypeClasses?: Int32Array;
  /** [K] what a person called each prototype; empty where nobody did, also when left out. */
  prototypeNames?: readonly string[];
  /** [K] whether a person froze it: training goes on around it; nowhere when left out. */
  prototypeFrozen?: readonly boolean[];
}

/** {@link PrototypeNetworkData} with nothing left out. */
export type ResolvedNetworkData = Readonly<Required<PrototypeNetworkData>>;

/**
 * Checks that the parts fit together, and fills in the prototypes' classes and names.
 * @throws PrototypeError `shape` or `not-finite`.
 */
export function checkNetworkData(data: PrototypeNetworkData): ResolvedNetworkData {
  const { classes, embeddingDim, prototypesPerClass, normalisation, prototypes, weights, bias } = data;
  const k = prototypes.length / embeddingDim;
  const prototypeClasses =
    data.prototypeClasses ?? Int32Array.from({ length: k }, (_, j) => Math.floor(j / prototypesPerClass));
  const prototypeNames = data.prototypeNames ?? Array.from(prototypeClasses, () => '');
  const channelWeights = data.channelWeights ?? null;
  const prototypeFrozen = data.prototypeFrozen ?? Array.from(prototypeClasses, () => false);
  const problems: [boolean, string][] = [
    [classes.length < 1, 'it has no classes'],
    [new Set(classes).size !== classes.length, 'two classes have the same name'],
    [!Number.isInteger(k) || k < 1, `${prototypes.length} numbers are no prototypes of ${embeddingDim}`],
    [prototypeClasses.length !== k, `${prototypeClasses.length} prototype classes for ${k} prototypes`],
    [prototypeClasses.some((c) => classes[c] === undefined), 'a prototype has no class'],
    [prototypeNames.length !== k, `${prototypeNames.length} prototype names for ${k} prototypes`],
    [prototypeFrozen.length !== k, `${prototypeFrozen.length} frozen marks for ${k} prototypes`],
    [
      channelWeights !== null && channelWeights.length !== prototypes.length,
      `${channelWeights?.length ?? 0} channel weights for ${prototypes.length} numbers of prototypes`,
    ],
    [channelWeights?.some((value) => value < 0) === true, 'a channel has a weight below 0'],
    [weights.length !== classes.length * k, `${weights.length} weights for ${classes.length} × ${k}`],
    [bias.length !== classes.length, `${bias.length} biases for ${classes.length} classes`],
    [!(data.temperature > 0 && Number.isFinite(data.temperature)), 'the temperature is not above 0'],
    [!(normalisation.scale > 0 && Number.isFinite(normalisation.scale)), 'the scale is not above 0'],
  ];
  const problem = problems.find(([wrong]) => wrong);
  if (problem) {
    throw new PrototypeError('shape', `not a prototype network: ${problem[1]}`, 'Train the network again.');
  }
  const numbers = [prototypes, weights, bias, channelWeights ?? [], Float32Array.of(normalisation.mean)];
  if (!numbers.every((values) => allFinite(values))) {
    throw new PrototypeError(
      'not-finite',
      'a prototype network holds numbers that are not finite',
      'Train the network again, or leave out the vector that was added.',
    );
  }
  return { ...data, channelWeights, prototypeClasses, prototypeNames, prototypeFrozen };
}

/** In a plain loop: an edit checks hundreds of thousands of numbers three times. */
function allFinite(values: ArrayLike<number>): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}
