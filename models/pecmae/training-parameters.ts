import { PrototypeError } from './errors.ts';

/** What a user may choose about a training run. */
export interface TrainParameters {
  /** 1–100 */
  prototypesPerClass: number;
  /** Updates, 1–1 000 000. */
  steps: number;
  /** Windows per update; the whole set when it is smaller. */
  batchSize: number;
  /** Highest rate of the one-cycle schedule. */
  learningRate: number;
  /** L2 penalty of Adam, on every parameter. */
  weightDecay: number;
  /** λ in [0, 1]: share of the classification loss; the rest pulls prototypes to windows of their class. */
  lambda: number;
  /**
   * `class`: every prototype is drawn to the nearest window of its class (PECMAE). `two-sided`: to the nearest of any class,
   * and every window to its nearest prototype (APNet).
   */
  prototypeLoss: 'class' | 'two-sided';
  /** Of a two-sided loss the share of the windows' side, 0…1. */
  coverage: number;
  /** `learned`: every number of every prototype has a weight in the distance. */
  channelWeights: 'none' | 'learned';
  /** τ > 0 */
  temperature: number;
  adaptor: 'none' | 'transformer';
  /** Where prototypes start: at k-means centroids of their class, or at the window nearest to each. */
  initialisation: 'kmeans' | 'medoid';
  /** `nearest` moves every trained prototype onto the nearest training window of its class, so that it sounds real. */
  projection: 'none' | 'nearest';
  /** Any safe integer. */
  seed: number;
  task: 'single' | 'multi';
}

/**
 * λ, τ, batch size and weight decay of the paper (arXiv 2402.09318 §3). Its 150 000 steps at a rate of 1e-3 are cut to a
 * run of seconds by a higher rate, which the one-cycle schedule carries. The adaptor wants a rate of about 1e-3.
 */
export const defaultTrainParameters: TrainParameters = {
  prototypesPerClass: 5,
  steps: 1500,
  batchSize: 256,
  learningRate: 1e-2,
  weightDecay: 1e-5,
  lambda: 0.25,
  prototypeLoss: 'class',
  coverage: 0.5,
  channelWeights: 'none',
  temperature: 0.1,
  adaptor: 'none',
  initialisation: 'kmeans',
  projection: 'none',
  seed: 1,
  task: 'single',
};

/** @throws PrototypeError `parameters` naming the first one out of its range. */
export function checkParameters(p: TrainParameters): void {
  const rules: [boolean, string][] = [
    [within(p.prototypesPerClass, 1, 100, true), 'prototypesPerClass is a whole number from 1 to 100'],
    [within(p.steps, 1, 1e6, true), 'steps is a whole number from 1 to 1 000 000'],
    [within(p.batchSize, 1, 1e6, true), 'batchSize is a whole number from 1'],
    [within(p.learningRate, Number.MIN_VALUE, 1, false), 'learningRate is above 0 and at most 1'],
    [within(p.weightDecay, 0, 1, false), 'weightDecay is from 0 to 1'],
    [within(p.lambda, 0, 1, false), 'lambda is from 0 to 1'],
    [within(p.coverage, 0, 1, false), 'coverage is from 0 to 1'],
    [within(p.temperature, 1e-3, 1e3, false), 'temperature is from 0.001 to 1000'],
    [Number.isSafeInteger(p.seed), 'seed is a whole number'],
  ];
  const broken = rules.find(([holds]) => !holds);
  if (broken) throw new PrototypeError('parameters', broken[1], 'Change that parameter.');
}

function within(value: number, low: number, high: number, whole: boolean): boolean {
  return value >= low && value <= high && (!whole || Number.isInteger(value));
}
