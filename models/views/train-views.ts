import { setImmediate as nextTurn } from 'node:timers/promises';
import type { LabelledWindows } from '../embeddings/labelled-vectors.ts';
import { scoreTracks } from '../evaluation/metrics/track-scores.ts';
import { standardise, standardisationOf, type Standardisation } from '../neighbours/standardised.ts';
import { Pacer } from '../numerics/pacer.ts';
import { Random } from '../numerics/random.ts';
import type { Parameters } from '../pecmae/adam-state.ts';
import { PrototypeError } from '../pecmae/errors.ts';
import { isBetter, keepRules, type Validation } from '../pecmae/kept.ts';
import { PrototypeNetwork } from '../pecmae/network.ts';
import { ontoNearest, startingPrototypes } from '../pecmae/starting-prototypes.ts';
import { checkValidation, classRows } from '../pecmae/training-data.ts';
import { checkParameters, type TrainParameters } from '../pecmae/training-parameters.ts';
import type { TrainOptions, TrainProgress } from '../pecmae/training-run.ts';
import { parameterNames, type BlendSpec } from './blend-graph.ts';
import { BlendSession, type ViewedData } from './blend-session.ts';
import { refitHead, type Head, type SimilarityRows } from './joint-head.ts';
import { joinedColumns, meanLoss, pickRows, spreadRows } from './rows.ts';
import { ViewNetwork, type View } from './view-network.ts';
import {
  isOverfitting,
  weightings,
  type BranchLosses,
  type BranchWeights,
  type WeightingName,
} from './weightings.ts';

/** What the joint head of a network of several views is. */
export const jointHeads = {
  /** The sum of all branches by their weights, fitted anew to the prototypes they end with; see `refitHead`. */
  refit: 'fitted again after training',
  /** The sum of all branches by their weights. */
  blended: 'sum of the branches by weight',
  /** As it came out of the training. */
  trained: 'as trained',
} as const;

/** What a user may choose about a training of several views; the adaptor is not one of them. */
export interface ViewTrainParameters extends TrainParameters {
  weighting: WeightingName;
  head: keyof typeof jointHeads;
}

/** Losses and weights of the branches after some steps: the views in order, then the joint head. */
export type BlendPoint = BranchLosses & BranchWeights;

/** What comes of a training of several views. */
export interface TrainedViews {
  network: ViewNetwork;
  curve: TrainProgress[];
  blend: BlendPoint[];
  keptStep: number;
  /** Of each view, whether it got worse on validation while it got better in training, at the end. */
  overfitting: boolean[];
}

const EVALUATIONS = 100;
const VALIDATIONS = 20;
/** Training windows that losses are told on: some thousand tell them to the third digit. */
const MOST_EVALUATED = 2048;
/** Training windows a head is fitted to again. */
const MOST_REFITTED = 8192;
/** Standardised dimensions have deviation 1; distances are told at ½, as in a network of one view. */
const SCALE = 2;

/**
 * Trains a prototype network in each of several views together with a joint head on all of their similarities, the losses
 * weighted by how each branch generalises ({@link weightings}). Each dimension of a view is standardised by the training
 * windows. The branches are looked at {@link EVALUATIONS} times on validation tracks; these choose weights, the step that
 * is kept and, refitted, the head: what the network is worth is told by tracks of a third part. The same data,
 * parameters and seed give the same bytes on the same kind of processor.
 *
 * @param train the same windows in each view; @param validation other tracks
 * @throws PrototypeError `parameters`, `shape`, `labels`, `empty-class`, `not-finite`, `diverged`; the signal's reason
 */
export async function trainViews(
  train: readonly LabelledWindows[],
  validation: readonly LabelledWindows[],
  parameters: ViewTrainParameters,
  options: RunOptions,
): Promise<TrainedViews> {
  checkParameters(parameters);
  const first = checkSets(train, validation, parameters);
  const { signal } = options;
  signal.throwIfAborted();
  const rows = classRows(first, parameters.task);
  const standardisations: Standardisation[] = [];
  for (const { features, dim } of train)
    standardisations.push(await standardisationOf(features, dim, signal));
  const [data, held] = [prepared(train, standardisations), prepared(validation, standardisations)];
  const random = new Random(parameters.seed);
  const spec: BlendSpec = {
    dims: train.map(({ dim }) => dim),
    classes: first.labelNames.length,
    prototypeClasses: rows.flatMap((_, c) => new Array<number>(parameters.prototypesPerClass).fill(c)),
    task: parameters.task,
    lambda: parameters.lambda,
    temperature: parameters.temperature,
    weightDecay: parameters.weightDecay,
  };
  const initial = await initialParameters(spec, data, rows, parameters, random, new Pacer(signal));
  const run = await runBlend({ spec, initial, data, held, validation, parameters, random }, options);
  if (parameters.projection === 'nearest')
    spec.dims.forEach((dim, v) => {
      const name = parameterNames.prototypes(v);
      const prototypes = run.final[name];
      if (prototypes) run.final[name] = ontoNearest(data.x[v] ?? prototypes, dim, rows, prototypes);
    });
  const network = await finish(run, { spec, data, held, parameters, first, standardisations, signal });
  return { network, ...run.report };
}

interface Started {
  spec: BlendSpec;
  initial: Parameters;
  data: ViewedData;
  held: ViewedData;
  validation: readonly LabelledWindows[];
  parameters: ViewTrainParameters;
  random: Random;
}

type RunOptions = TrainOptions & { onBlend?: (point: BlendPoint) => void };

interface Ran {
  /** Parameters after the step that is kept, and the weights of the branches then. */
  final: Parameters;
  weights: readonly number[];
  report: Omit<TrainedViews, 'network'>;
}

async function runBlend(
  { spec, initial, data, held, validation, parameters, random }: Started,
  { signal, pace, onProgress, onBlend, provider }: RunOptions,
): Promise<Ran> {
  const { steps, learningRate, task, temperature, lambda } = parameters;
  const { classes } = spec;
  const session = await BlendSession.open(spec, initial, {
    data,
    schedule: { steps, learningRate },
    ...(provider && { provider }),
  });
  try {
    const count = data.y.length / classes;
    const seen = spreadRows(count, MOST_EVALUATED);
    const shown: ViewedData = {
      x: data.x.map((values, v) => pickRows(values, spec.dims[v] ?? 0, seen)),
      y: pickRows(data.y, classes, seen),
    };
    const blend: BlendPoint[] = [];
    const look = async (step: number): Promise<Float32Array[]> => {
      const known = await session.evaluate(shown);
      const { losses, logits } = await session.evaluate(held);
      const entry = { step, train: known.losses, validation: losses };
      if (![...known.losses, ...losses].every(Number.isFinite)) throw diverged(step);
      const point = { ...entry, ...weightings[parameters.weighting].weigh([...blend, entry]) };
      blend.push(point);
      onBlend?.(point);
      return logits;
    };
    await look(0);
    const curve: TrainProgress[] = [];
    const validations: Validation[] = [];
    const labels = validation[0]?.labels ?? new Uint8Array();
    const trackOf = validation[0]?.tracks.of ?? new Int32Array();
    let order: number[] = [];
    let best: { step: number; standing: number[]; final: Parameters; weights: number[] } | null = null;
    let since = { steps: 0, loss: 0, classLoss: 0, prototypeLoss: 0, right: 0, f1: 0 };
    for (let step = 1; step <= steps; step++) {
      // ONNX Runtime's Node binding computes in a turn of the event loop; this lets everything else have one too.
      await nextTurn();
      await pace?.();
      signal.throwIfAborted();
      const weights = blend.at(-1)?.weights ?? [];
      const size = Math.min(parameters.batchSize, count);
      if (order.length < size) order = random.shuffle(Array.from({ length: count }, (_, row) => row));
      const batch = Int32Array.from(order.splice(-size));
      const done = await session.step(batch, weights);
      const classLoss = done.losses.reduce((sum, loss, b) => sum + (weights[b] ?? 0) * loss, 0);
      const loss = lambda * classLoss + (1 - lambda) * done.prototypeLoss;
      if (!Number.isFinite(loss)) throw diverged(step);
      const answers = Int32Array.from(batch.keys());
      const own = pickRows(data.y, classes, [...batch]);
      const scores = scoreTracks(done.logits, own, answers, classes, task);
      since = {
        steps: since.steps + 1,
        loss: since.loss + loss,
        classLoss: since.classLoss + classLoss,
        prototypeLoss: since.prototypeLoss + done.prototypeLoss,
        right: since.right + scores.accuracy,
        f1: since.f1 + (scores.f1Micro ?? 0),
      };
      if (!due(step, steps, EVALUATIONS)) continue;
      const logits = await look(step);
      let validated: Validation | null = null;
      if (due(step, steps, VALIDATIONS)) {
        const now = blend.at(-1)?.weights ?? [];
        const answer = blended(logits, now);
        const loss = meanLoss(answer, held.y, classes, { task, temperature });
        validated = { loss, ...scoreTracks(answer, labels, trackOf, classes, task) };
        validations.push(validated);
        const standing = keepRules.accuracy(validated);
        if (isBetter(standing, best?.standing))
          best = { step, standing, final: session.parameters(), weights: now };
      }
      const progress: TrainProgress = {
        ...{ step, steps },
        loss: since.loss / since.steps,
        classLoss: since.classLoss / since.steps,
        prototypeLoss: since.prototypeLoss / since.steps,
        trainAccuracy: since.right / since.steps,
        trainF1Micro: task === 'single' ? null : since.f1 / since.steps,
        validation: validated,
      };
      since = { steps: 0, loss: 0, classLoss: 0, prototypeLoss: 0, right: 0, f1: 0 };
      curve.push(progress);
      onProgress?.(progress);
    }
    const overfitting = spec.dims.map((_, view) => isOverfitting(blend, view));
    const keptStep = best?.step ?? steps;
    return {
      final: best?.final ?? session.parameters(),
      weights: best?.weights ?? blend.at(-1)?.weights ?? [],
      report: { curve, blend, keptStep, overfitting },
    };
  } finally {
    await session.close();
  }
}

interface Finished {
  spec: BlendSpec;
  data: ViewedData;
  held: ViewedData;
  parameters: ViewTrainParameters;
  first: LabelledWindows;
  standardisations: readonly Standardisation[];
  signal: AbortSignal;
}

/** Puts the network together, with the head that was asked for. */
async function finish(
  { final, weights }: Ran,
  { spec, data, held, parameters, first, standardisations, signal }: Finished,
): Promise<ViewNetwork> {
  const { task, temperature, prototypesPerClass } = parameters;
  const networks = spec.dims.map(
    (embeddingDim, v) =>
      new PrototypeNetwork({
        classes: [...first.labelNames],
        ...{ embeddingDim, prototypesPerClass, task, temperature },
        normalisation: { mean: 0, scale: SCALE },
        prototypes: valuesOf(final, parameterNames.prototypes(v)),
        weights: valuesOf(final, parameterNames.weight(v)),
        bias: valuesOf(final, parameterNames.bias(v)),
      }),
  );
  const count = data.y.length / spec.classes;
  const known = similaritiesOf(networks, data, spec, spreadRows(count, MOST_REFITTED));
  const typical = meanOfColumns(known);
  const trained = {
    weights: valuesOf(final, parameterNames.jointWeight),
    bias: valuesOf(final, parameterNames.jointBias),
  };
  const sum = sumOfBranches(networks, trained, weights);
  const all = spreadRows(held.y.length / spec.classes, Infinity);
  const heads: Record<keyof typeof jointHeads, () => Promise<Head> | Head> = {
    trained: () => trained,
    blended: () => sum,
    refit: () =>
      refitHead(sum, known, similaritiesOf(networks, held, spec, all), typical, {
        task,
        temperature,
        signal,
      }),
  };
  const k = spec.prototypeClasses.length;
  const views = networks.map((network, v): View => ({
    network,
    standardisation: standardisations[v] ?? { mean: new Float64Array(), scale: new Float64Array() },
    typical: typical.slice(v * k, (v + 1) * k),
  }));
  return new ViewNetwork({ views, joint: await heads[parameters.head]() });
}

function similaritiesOf(
  networks: readonly PrototypeNetwork[],
  { x, y }: ViewedData,
  spec: BlendSpec,
  rows: readonly number[],
): SimilarityRows {
  const parts = networks.map((network, v) => {
    const own = pickRows(x[v] ?? new Float32Array(), spec.dims[v] ?? 0, rows);
    return network.similarities(
      own.map((value) => value * SCALE),
      rows.length,
    );
  });
  const widths = networks.map(({ prototypeCount }) => prototypeCount);
  return {
    similarities: joinedColumns(parts, widths, rows.length),
    labels: pickRows(y, spec.classes, rows),
    count: rows.length,
  };
}

function meanOfColumns({ similarities, count }: SimilarityRows): Float32Array {
  const width = similarities.length / count;
  const sums = new Float64Array(width);
  similarities.forEach((value, i) => (sums[i % width] = (sums[i % width] ?? 0) + value));
  return Float32Array.from(sums, (sum) => sum / count);
}

/** Σ w_b·(head of branch b), as one head on the similarities of all views. */
function sumOfBranches(
  networks: readonly PrototypeNetwork[],
  joint: Head,
  branchWeights: readonly number[],
): Head {
  const own = branchWeights.at(-1) ?? 0;
  const weights = joint.weights.map((value) => own * value);
  const bias = joint.bias.map((value) => own * value);
  const width = weights.length / bias.length;
  let start = 0;
  networks.forEach(({ data, prototypeCount: k }, v) => {
    const share = branchWeights[v] ?? 0;
    for (let c = 0; c < bias.length; c++) {
      bias[c] = (bias[c] ?? 0) + share * (data.bias[c] ?? 0);
      for (let p = 0; p < k; p++) {
        const cell = c * width + start + p;
        weights[cell] = (weights[cell] ?? 0) + share * (data.weights[c * k + p] ?? 0);
      }
    }
    start += k;
  });
  return { weights, bias };
}

function blended(logits: readonly Float32Array[], weights: readonly number[]): Float32Array {
  const out = new Float32Array(logits[0]?.length ?? 0);
  logits.forEach((own, b) => {
    const weight = weights[b] ?? 0;
    own.forEach((value, i) => (out[i] = (out[i] ?? 0) + weight * value));
  });
  return out;
}

async function initialParameters(
  spec: BlendSpec,
  data: ViewedData,
  rows: readonly Int32Array[],
  parameters: ViewTrainParameters,
  random: Random,
  pacer: Pacer,
): Promise<Parameters> {
  const k = spec.prototypeClasses.length;
  const own = new Float32Array(spec.classes * k);
  spec.prototypeClasses.forEach((c, prototype) => (own[c * k + prototype] = 1));
  const out: Parameters = {};
  for (const [v, dim] of spec.dims.entries()) {
    const x = data.x[v] ?? new Float32Array();
    out[parameterNames.prototypes(v)] = await startingPrototypes(x, dim, rows, parameters, random, pacer);
    out[parameterNames.weight(v)] = own.slice();
    out[parameterNames.bias(v)] = new Float32Array(spec.classes);
  }
  // As much as one view says: the temperature is that of one.
  const share = own.map((value) => value / spec.dims.length);
  const widths = spec.dims.map(() => k);
  out[parameterNames.jointWeight] = joinedColumns(
    widths.map(() => share),
    widths,
    spec.classes,
  );
  out[parameterNames.jointBias] = new Float32Array(spec.classes);
  return out;
}

/** Standardised, then brought to the size of a normalised space of one view. */
function prepared(
  sets: readonly LabelledWindows[],
  standardisations: readonly Standardisation[],
): ViewedData {
  const x = sets.map(({ features }, v) => {
    const own = standardisations[v];
    return own ? standardise(features, own).map((value) => value / SCALE) : features;
  });
  return { x, y: Float32Array.from(sets[0]?.labels ?? []) };
}

/** @throws PrototypeError `parameters`, `shape`, `not-finite`; @returns the first view */
function checkSets(
  train: readonly LabelledWindows[],
  validation: readonly LabelledWindows[],
  { adaptor, prototypeLoss, channelWeights }: ViewTrainParameters,
): LabelledWindows {
  if (adaptor !== 'none')
    throw new PrototypeError(
      'parameters',
      'prototypes of several views have no adaptor',
      'Train without the transformer layer, or in one view.',
    );
  if (prototypeLoss !== 'class' || channelWeights !== 'none')
    throw new PrototypeError(
      'parameters',
      'prototypes of several views have neither a two-sided loss nor channel weights',
      'Train without these, or in one view.',
    );
  const [first] = train;
  if (!first || train.length < 2 || validation.length !== train.length)
    throw new PrototypeError('shape', 'fewer than two views were given', 'Give two views or more.');
  train.forEach((set, v) => {
    const held = validation[v];
    if (set.count !== first.count || !held || held.count !== validation[0]?.count)
      throw new PrototypeError(
        'shape',
        'the views have not the same windows',
        'Give the same windows in all.',
      );
    const bad = set.features.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0)
      throw new PrototypeError(
        'not-finite',
        `embedding ${Math.floor(bad / set.dim)} holds a value that is not a finite number`,
        'Compute the embedding of that window again.',
      );
    checkValidation(held, set);
  });
  return first;
}

function valuesOf(parameters: Readonly<Parameters>, name: string): Float32Array {
  const values = parameters[name];
  if (!values) throw new Error(`there is no parameter ${name}`);
  return values;
}

/** Whether a report falls on this step: `times` of them, evenly spread, the last one at the end. */
function due(step: number, steps: number, times: number): boolean {
  return Math.floor((step * times) / steps) > Math.floor(((step - 1) * times) / steps);
}

function diverged(step: number): PrototypeError {
  return new PrototypeError(
    'diverged',
    `the loss stopped being a number at step ${step}`,
    'Lower the learning rate or raise the temperature.',
  );
}
