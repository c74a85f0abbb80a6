import { setImmediate as nextTurn } from 'node:timers/promises';
import { Pacer } from '../numerics/pacer.ts';
import { Random } from '../numerics/random.ts';
import { at } from '../numerics/vectors.ts';
import { InferenceSession, Tensor } from '../onnx/runtime.ts';
import { contrastGraph, NEVER, type ProjectionLayers } from './contrast-graph.ts';
import { listsOfTracks } from './lists.ts';
import { pairSource, type Pair, type PairData, type PairMode, type PairSource } from './pairs.ts';
import type { LearnedProjection } from './projection.ts';
import { fitWhitening } from './whitening.ts';

/** Windows of tracks, track after track. */
export interface TrackVectors {
  dim: number;
  /** `[windows, dim]`, finite. */
  vectors: Float32Array;
  /** `[tracks + 1]`: where the windows of each track begin; every track has one or more. */
  starts: Int32Array;
}

/** How a projection is learned. */
export interface SimilaritySettings {
  pairs: PairMode;
  /** d: numbers per projected vector. */
  dim: number;
  /** Units of a hidden layer; 0: none, a linear projection. */
  hidden: number;
  /** Passes over the playlists. */
  epochs: number;
  /** Of few pairs there are more passes, up to so many steps. */
  leastSteps: number;
  /** t */
  temperature: number;
  learningRate: number;
  weightDecay: number;
  /** Pairs of one step. */
  batchPairs: number;
  /** Other tracks of a playlist do not count as different. */
  maskAlike: boolean;
  seed: number;
}

/** As the paper's open counterparts have them, but for the learning rate: a projection is less than an encoder. */
export const defaultSimilaritySettings: SimilaritySettings = {
  pairs: 'random',
  dim: 64,
  hidden: 0,
  epochs: 40,
  leastSteps: 300,
  temperature: 0.1,
  learningRate: 2e-3,
  weightDecay: 1e-4,
  batchPairs: 64,
  maskAlike: true,
  seed: 1,
};

export interface ContrastProgress {
  /** Steps done, and of how many. */
  step: number;
  steps: number;
  loss: number;
}

export interface TrainOptions {
  signal: AbortSignal;
  onProgress?: (progress: ContrastProgress) => void;
  pace?: () => Promise<void>;
}

/** Adam's constants. */
const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-8];

/**
 * Learns a projection in which the tracks of a pair lie together (NT-Xent). Every time that a track is in a pair, one of
 * its windows is drawn. Same seed, same numbers, whatever the machine has of cores.
 * @throws NumericError `empty` without pairs; the signal's reason
 */
export async function learnProjection(
  data: PairData & { vectors: TrackVectors },
  settings: SimilaritySettings,
  { signal, onProgress, pace }: TrainOptions,
): Promise<LearnedProjection> {
  const random = new Random(settings.seed);
  const source = await pairSource(settings.pairs, data, random, signal);
  const { dim } = data.vectors;
  const layers = settings.hidden > 0 ? [dim, settings.hidden, settings.dim] : [dim, settings.dim];
  const standard = await standardOf(data.vectors, source, signal);
  const learner = await Learner.open(layers, settings, random);
  try {
    if (settings.hidden === 0) await beginAtWhitening(learner, data.vectors, { ...standard, source, signal });
    const epochs = Math.max(
      settings.epochs,
      Math.ceil(settings.leastSteps / Math.ceil(source.epoch(random).length / settings.batchPairs)),
    );
    let step = 0;
    for (let epoch = 0; epoch < epochs; epoch++) {
      const batches = batchesOf(source.epoch(random), settings.batchPairs);
      for (const [i, pairs] of batches.entries()) {
        signal.throwIfAborted();
        const batch = batchOf(pairs, source, data.vectors, standard, { ...settings, random });
        const loss = await learner.step(batch);
        step += 1;
        onProgress?.({
          step,
          steps: step + batches.length - i - 1 + (epochs - epoch - 1) * batches.length,
          loss,
        });
      }
      await (pace?.() ?? nextTurn());
    }
  } finally {
    await learner.close();
  }
  return { layers, ...standard, weights: learner.weights.map((values) => Float32Array.from(values)) };
}

/** What one step sees. */
export interface ContrastBatch {
  rows: number;
  /** `[rows, dim]` */
  x: Float32Array;
  /** `[rows, rows]` */
  mask: Float32Array;
  partner: Float32Array;
}

/** The weights, moved by Adam with coupled decay. */
export class Learner {
  readonly weights: Float64Array[];
  readonly #layers: ProjectionLayers;
  readonly #session: InferenceSession;
  readonly #settings: Pick<SimilaritySettings, 'learningRate' | 'weightDecay'>;
  readonly #moments: { m: Float64Array; v: Float64Array }[];
  #step = 0;

  private constructor(
    layers: ProjectionLayers,
    session: InferenceSession,
    settings: Pick<SimilaritySettings, 'learningRate' | 'weightDecay'>,
    weights: Float64Array[],
  ) {
    this.#layers = layers;
    this.#session = session;
    this.#settings = settings;
    this.weights = weights;
    this.#moments = weights.map(({ length }) => ({
      m: new Float64Array(length),
      v: new Float64Array(length),
    }));
  }

  static async open(
    layers: ProjectionLayers,
    settings: Pick<SimilaritySettings, 'temperature' | 'learningRate' | 'weightDecay'>,
    random: Random,
  ): Promise<Learner> {
    const session = await InferenceSession.create(contrastGraph(layers, settings.temperature), {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
    });
    const weights = layers.slice(1).map((to, i) => {
      const from = layers[i] ?? 1;
      return Float64Array.from({ length: from * to }, () => random.normal() / Math.sqrt(from));
    });
    return new Learner(layers, session, settings, weights);
  }

  /** Loss and gradients where the weights are. */
  async gradients({
    rows,
    x,
    mask,
    partner,
  }: ContrastBatch): Promise<{ loss: number; slopes: Float32Array[] }> {
    const [dim = 0] = this.#layers;
    const feeds: Record<string, Tensor> = {
      x: new Tensor('float32', x, [rows, dim]),
      mask: new Tensor('float32', mask, [rows, rows]),
      partner: new Tensor('float32', partner, [rows, rows]),
    };
    this.weights.forEach((values, i) => {
      const dims = [this.#layers[i] ?? 0, this.#layers[i + 1] ?? 0];
      feeds[`w${i}`] = new Tensor('float32', Float32Array.from(values), dims);
    });
    const found = await this.#session.run(feeds);
    const floats = (name: string): Float32Array => {
      const data = found[name]?.data;
      if (!(data instanceof Float32Array)) throw new Error(`the graph gave no ${name}`);
      return data;
    };
    return { loss: floats('loss')[0] ?? NaN, slopes: this.weights.map((_, i) => floats(`gw${i}`)) };
  }

  /** @returns the loss before the step */
  async step(batch: ContrastBatch): Promise<number> {
    const { loss, slopes } = await this.gradients(batch);
    const { learningRate, weightDecay } = this.#settings;
    this.#step += 1;
    const rate = learningRate / (1 - BETA1 ** this.#step);
    const root = Math.sqrt(1 - BETA2 ** this.#step);
    this.weights.forEach((values, layer) => {
      const [slope, moments] = [slopes[layer], this.#moments[layer]];
      if (!slope || !moments) return;
      const { m, v } = moments;
      for (let i = 0; i < values.length; i++) {
        const gradient = at(slope, i) + weightDecay * at(values, i);
        m[i] = BETA1 * at(m, i) + (1 - BETA1) * gradient;
        v[i] = BETA2 * at(v, i) + (1 - BETA2) * gradient * gradient;
        values[i] = at(values, i) - (rate * at(m, i)) / (Math.sqrt(at(v, i)) / root + EPSILON);
      }
    });
    return loss;
  }

  close(): Promise<void> {
    return this.#session.release();
  }
}

/** Batches of nearly equal size: a last one of three pairs would teach next to nothing. */
function batchesOf(pairs: readonly Pair[], size: number): Pair[][] {
  const count = Math.ceil(pairs.length / size);
  return Array.from({ length: count }, (_, i) =>
    pairs.slice(Math.round((i * pairs.length) / count), Math.round(((i + 1) * pairs.length) / count)),
  );
}

function batchOf(
  pairs: readonly Pair[],
  { alike }: PairSource,
  { dim, vectors, starts }: TrackVectors,
  { mean, scale }: Pick<LearnedProjection, 'mean' | 'scale'>,
  { maskAlike, random }: { maskAlike: boolean; random: Random },
): ContrastBatch {
  const half = pairs.length;
  const rows = 2 * half;
  const tracks = [...pairs.map(([a]) => a), ...pairs.map(([, b]) => b)];
  const x = new Float32Array(rows * dim);
  tracks.forEach((track, row) => {
    const first = at(starts, track);
    const window = first + random.integer(at(starts, track + 1) - first);
    for (let d = 0; d < dim; d++)
      x[row * dim + d] = (at(vectors, window * dim + d) - at(mean, d)) * at(scale, d);
  });
  const mask = new Float32Array(rows * rows);
  if (maskAlike) maskLists(mask, tracks, alike);
  const partner = new Float32Array(rows * rows);
  for (let row = 0; row < rows; row++) {
    const other = (row + half) % rows;
    mask[row * rows + row] = NEVER;
    mask[row * rows + other] = 0;
    partner[row * rows + other] = 1;
  }
  return { rows, x, mask, partner };
}

const listsOf = new WeakMap<PairSource['alike'], Map<number, number[]>>();

function maskLists(mask: Float32Array, tracks: readonly number[], alike: PairSource['alike']): void {
  let of = listsOf.get(alike);
  if (!of) listsOf.set(alike, (of = listsOfTracks(alike)));
  const rowsOf = new Map<number, number[]>();
  tracks.forEach((track, row) => {
    for (const list of of.get(track) ?? []) {
      const rows = rowsOf.get(list);
      if (rows) rows.push(row);
      else rowsOf.set(list, [row]);
    }
  });
  for (const rows of rowsOf.values())
    for (const a of rows) for (const b of rows) mask[a * tracks.length + b] = NEVER;
}

/**
 * Where a linear projection begins: at PCA-whitening, which it is held against. What few playlists do not tell then stays
 * as it was there, instead of at chance. Lengths do not count behind it, so weights get those that the step size is for.
 */
async function beginAtWhitening(
  { weights: [matrix] }: Learner,
  { dim, vectors, starts }: TrackVectors,
  {
    mean,
    scale,
    source,
    signal,
  }: Pick<LearnedProjection, 'mean' | 'scale'> & {
    source: PairSource;
    signal: AbortSignal;
  },
): Promise<void> {
  if (!matrix) return;
  const tracks = [...listsOfTracks(source.alike).keys()].sort((a, b) => a - b);
  // One window of each: their spread is what matters, and is the same.
  const rows = new Float32Array(tracks.length * dim);
  tracks.forEach((track, i) => {
    const from = at(starts, track) * dim;
    for (let d = 0; d < dim; d++) rows[i * dim + d] = (at(vectors, from + d) - at(mean, d)) * at(scale, d);
  });
  const width = matrix.length / dim;
  const { axes } = await fitWhitening(rows, dim, width, signal);
  const squares = axes.reduce((sum, axis) => sum + axis.reduce((own, value) => own + value * value, 0), 0);
  const unit = Math.sqrt(axes.length / Math.max(squares, 1e-30));
  axes.forEach((axis, to) => axis.forEach((value, d) => (matrix[d * width + to] = unit * value)));
}

/** Mean and 1 / deviation over the windows of the tracks that are learned from. @throws the signal's reason */
async function standardOf(
  { dim, vectors, starts }: TrackVectors,
  { alike }: PairSource,
  signal: AbortSignal,
): Promise<Pick<LearnedProjection, 'mean' | 'scale'>> {
  const pacer = new Pacer(signal);
  const tracks = [...listsOfTracks(alike).keys()];
  const sum = new Float64Array(dim);
  const squares = new Float64Array(dim);
  let count = 0;
  const each = async (visit: (value: number, d: number) => void): Promise<void> => {
    for (const track of tracks)
      for (let row = at(starts, track); row < at(starts, track + 1); row++) {
        if (pacer.due(4 * dim)) await pacer.pause();
        for (let d = 0; d < dim; d++) visit(at(vectors, row * dim + d), d);
      }
  };
  for (const track of tracks) count += at(starts, track + 1) - at(starts, track);
  await each((value, d) => (sum[d] = at(sum, d) + value));
  const mean = Float32Array.from(sum, (total) => total / count);
  await each((value, d) => (squares[d] = at(squares, d) + (value - at(mean, d)) ** 2));
  return {
    mean,
    scale: Float32Array.from(squares, (total) => (total / count > 1e-12 ? 1 / Math.sqrt(total / count) : 0)),
  };
}
