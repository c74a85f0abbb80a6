import { NumericError } from '../numerics/errors.ts';
import { Pacer } from '../numerics/pacer.ts';
import { Random } from '../numerics/random.ts';
import { at } from '../numerics/vectors.ts';
import { fitWhitening, whiten, type Whitening } from '../similarity/whitening.ts';
import { counted } from '../text/counted.ts';
import { presentModalities, type Modality, type SharedData } from './kinds.ts';
import type { SharedModel } from './projection.ts';
import { sharedLoss, type SharedItem, type SharedWeights } from './shared-loss.ts';

export interface SharedSettings {
  /** Numbers per vector of the common space. */
  dim: number;
  /** Directions of each modality that are kept, by whitening, before anything is learned. */
  kept: number;
  scale: number;
  margin: number;
  /** How many; where they are chosen, the most that are tried. */
  steps: number;
  /** `held-out`: as many steps as help groups that are left out of learning (`stop.ts`). */
  stop: 'fixed' | 'held-out';
  /** Tracks of a step; classes take turns. */
  batch: number;
  learningRate: number;
  weightDecay: number;
  seed: number;
}

export const defaultSharedSettings: SharedSettings = {
  dim: 32,
  kept: 64,
  scale: 10,
  margin: 0.1,
  steps: 200,
  stop: 'fixed',
  batch: 64,
  learningRate: 2e-2,
  weightDecay: 1e-3,
  seed: 1,
};

/** Adam's constants. */
const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-8];

export interface SharedProgress {
  step: number;
  steps: number;
  loss: number;
}

export interface SharedLearnOptions {
  signal: AbortSignal;
  onProgress?: (progress: SharedProgress) => void;
  pace?: () => Promise<void>;
  /** Looks at the model after every so many steps; learning ends where it answers false. */
  watch?: { every: number; look: (model: SharedModel) => Promise<boolean> };
}

/**
 * Learns the common space of some tracks: per modality a linear projection, and class vectors that all modalities share. Classes
 * that none of the tracks is of keep a vector of length 0. Same seed, same numbers.
 * @param tracks what is learned from; each has one modality or more
 * @param taught class of each track by modality, where that is not its own (a control)
 * @throws NumericError `empty` without tracks of two classes; the signal's reason
 */
export async function learnShared(
  data: SharedData,
  tracks: readonly number[],
  settings: SharedSettings,
  { signal, onProgress, pace, watch }: SharedLearnOptions,
  taught?: Partial<Record<Modality, ArrayLike<number>>>,
): Promise<SharedModel> {
  const random = new Random(settings.seed);
  const known = [...new Set(tracks.map((track) => at(data.labels, track)))].sort((a, b) => a - b);
  if (known.length < 2)
    throw new NumericError(
      'empty',
      `Tracks to learn from are of ${counted(known.length, 'class', 'classes')}.`,
      'At least two are needed.',
    );
  const place = new Map(known.map((label, i) => [label, i]));
  const inputs = await whitened(data, tracks, settings, signal);
  const items = new Map(
    tracks.map((track, i): [number, SharedItem] => {
      const own: SharedItem = { inputs: {}, labels: {} };
      for (const { of, rows, width, has } of inputs) {
        if (!has(track)) continue;
        own.inputs[of] = rows.subarray(i * width, (i + 1) * width);
        own.labels[of] = place.get(at(taught?.[of] ?? data.labels, track)) ?? 0;
      }
      return [track, own];
    }),
  );
  const { dim } = settings;
  const weights: SharedWeights = {
    matrices: {},
    classes: Float64Array.from({ length: known.length * dim }, () => random.normal() / Math.sqrt(dim)),
  };
  // Where the axes of whitening are few, those left over begin small.
  for (const { of, width } of inputs)
    weights.matrices[of] = Float64Array.from({ length: width * dim }, (_, i) =>
      Math.floor(i / dim) === i % dim ? 1 : 0.01 * random.normal(),
    );
  const optimiser = new Adam(weights, settings);
  const pacer = new Pacer(signal);
  const batches = turns(tracks, data.labels, random);
  for (let step = 1; step <= settings.steps; step++) {
    const batch = Array.from(
      { length: settings.batch },
      () => items.get(batches()) ?? { inputs: {}, labels: {} },
    );
    const loss = optimiser.step(batch);
    onProgress?.({ step, steps: settings.steps, loss });
    if (watch && step % watch.every === 0) {
      if (!(await watch.look(modelOf(data, known, inputs, weights, dim)))) break;
    }
    if (pacer.due(settings.batch * dim * (settings.kept + known.length) * 8)) {
      await pacer.pause();
      await pace?.();
    }
  }
  return modelOf(data, known, inputs, weights, dim);
}

interface Inputs {
  of: Modality;
  width: number;
  /** `[tracks, width]` */
  rows: Float64Array;
  has: (track: number) => boolean;
  mean: Float64Array;
  axes: Float64Array[];
}

const WHITENED_TOGETHER = 32;

/** Every modality of what is learned from, along its strongest axes. */
async function whitened(
  { modalities }: SharedData,
  tracks: readonly number[],
  { kept }: SharedSettings,
  signal: AbortSignal,
): Promise<Inputs[]> {
  const inputs: Inputs[] = [];
  for (const of of presentModalities(modalities)) {
    const own = modalities[of];
    if (!own) continue;
    const { dim, rows, units } = own;
    const has = (track: number): boolean => (units[track] ?? null) !== null;
    // Of what many tracks share one counts, so that an album of many tracks does not make the axes.
    const seen = new Set<string>();
    const first = tracks.filter((track) => {
      const unit = units[track] ?? null;
      return unit !== null && seen.size < seen.add(unit).size;
    });
    if (first.length < 2) continue;
    const pick = (some: readonly number[]): Float32Array => {
      const out = new Float32Array(some.length * dim);
      some.forEach((track, i) => out.set(rows.subarray(track * dim, (track + 1) * dim), i * dim));
      return out;
    };
    const pacer = new Pacer(signal);
    // Axes of fewer examples than that are those of the examples themselves.
    const width = Math.max(1, Math.min(kept, dim, Math.floor(first.length / 2)));
    const whitening = softened(await fitWhitening(pick(first), dim, width, signal));
    const axes = whitening.axes.length;
    const along = new Float64Array(tracks.length * axes);
    for (let from = 0; from < tracks.length; from += WHITENED_TOGETHER) {
      const some = tracks.slice(from, from + WHITENED_TOGETHER);
      along.set(whiten(whitening, pick(some)), from * axes);
      if (pacer.due(2 * some.length * dim * axes)) await pacer.pause();
    }
    inputs.push({ of, width: axes, rows: along, has, ...whitening });
  }
  return inputs;
}

/** Axes whose variance is far below that of the strongest are brought up only so far: of few examples they are mostly noise. */
const SOFTNESS = 0.1;
function softened({ mean, axes }: Whitening): Whitening {
  // An axis has the length of 1 / deviation.
  const variances = axes.map((axis) => 1 / axis.reduce((sum, value) => sum + value * value, 0));
  const most = Math.max(...variances);
  return {
    mean,
    axes: axes.map((axis, i) => {
      const own = variances[i] ?? 0;
      const factor = Math.sqrt(own / (own + SOFTNESS * most));
      return axis.map((value) => factor * value);
    }),
  };
}

/** Tracks one after the other: classes take turns, and so do the tracks of a class. */
function turns(tracks: readonly number[], labels: ArrayLike<number>, random: Random): () => number {
  const byClass = new Map<number, number[]>();
  for (const track of tracks) {
    const label = at(labels, track);
    byClass.set(label, [...(byClass.get(label) ?? []), track]);
  }
  const classes = [...byClass.keys()].sort((a, b) => a - b);
  const queues = new Map<number, number[]>();
  let round: number[] = [];
  return () => {
    if (round.length === 0) round = random.shuffle(classes);
    const label = round.pop() ?? 0;
    let queue = queues.get(label) ?? [];
    if (queue.length === 0) queues.set(label, (queue = random.shuffle(byClass.get(label) ?? [])));
    return queue.pop() ?? 0;
  };
}

/** Some weights with their gradient and its moments. */
interface OptimisedPart {
  value: Float64Array;
  slope: Float64Array;
  m: Float64Array;
  v: Float64Array;
  decay: number;
}

/** Weights, moved by Adam with coupled decay of the matrices. */
class Adam {
  readonly #weights: SharedWeights;
  readonly #gradients: SharedWeights;
  readonly #settings: SharedSettings;
  readonly #parts: OptimisedPart[];
  #step = 0;

  constructor(weights: SharedWeights, settings: SharedSettings) {
    this.#weights = weights;
    this.#settings = settings;
    this.#gradients = { matrices: {}, classes: new Float64Array(weights.classes.length) };
    const part = (value: Float64Array, slope: Float64Array, decay: number): OptimisedPart => ({
      ...{ value, slope, decay },
      m: new Float64Array(value.length),
      v: new Float64Array(value.length),
    });
    this.#parts = [part(weights.classes, this.#gradients.classes, 0)];
    for (const of of presentModalities(weights.matrices)) {
      const value = weights.matrices[of] ?? new Float64Array(0);
      const slope = (this.#gradients.matrices[of] = new Float64Array(value.length));
      this.#parts.push(part(value, slope, settings.weightDecay));
    }
  }

  /** @returns the loss before the step */
  step(batch: readonly SharedItem[]): number {
    const loss = sharedLoss(batch, this.#weights, this.#settings, this.#gradients);
    this.#step += 1;
    const rate = this.#settings.learningRate / (1 - BETA1 ** this.#step);
    const root = Math.sqrt(1 - BETA2 ** this.#step);
    for (const { value, slope, m, v, decay } of this.#parts)
      for (let i = 0; i < value.length; i++) {
        const gradient = at(slope, i) + decay * at(value, i);
        m[i] = BETA1 * at(m, i) + (1 - BETA1) * gradient;
        v[i] = BETA2 * at(v, i) + (1 - BETA2) * gradient * gradient;
        value[i] = at(value, i) - (rate * at(m, i)) / (Math.sqrt(at(v, i)) / root + EPSILON);
      }
    return loss;
  }
}

/** Whitening and matrix in one, and class vectors of length 1. */
function modelOf(
  { classes }: SharedData,
  known: readonly number[],
  inputs: readonly Inputs[],
  weights: SharedWeights,
  dim: number,
): SharedModel {
  const model: SharedModel = { dim, projections: {}, prototypes: new Float32Array(classes * dim) };
  known.forEach((label, c) => {
    const vector = weights.classes.subarray(c * dim, (c + 1) * dim);
    const length = Math.hypot(...vector) || 1;
    model.prototypes.set(
      vector.map((value) => value / length),
      label * dim,
    );
  });
  for (const { of, mean, axes } of inputs) {
    const matrix = weights.matrices[of];
    if (!matrix) continue;
    const whole = new Float32Array(mean.length * dim);
    for (let k = 0; k < mean.length; k++)
      for (let d = 0; d < dim; d++) {
        let sum = 0;
        axes.forEach((axis, i) => (sum += at(axis, k) * at(matrix, i * dim + d)));
        whole[k * dim + d] = sum;
      }
    model.projections[of] = { mean: Float32Array.from(mean), matrix: whole };
  }
  return model;
}
