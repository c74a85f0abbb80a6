import { Pacer } from '../numerics/pacer.ts';
import { Random } from '../numerics/random.ts';
import { octaveBands, SincFilters, type SincBand, type SincResponse } from './sinc.ts';
import { CARRIER_GROUPS, FREQUENCIES } from './swing.ts';

/** Sounds with the class of each. */
export interface SwingSet {
  /** Each `[CARRIER_GROUPS, FREQUENCIES]`. */
  spectra: readonly Float32Array[];
  labels: readonly number[];
}

export interface LearnSettings {
  classes: number;
  steps: number;
  seed: number;
  /** Edges move; else the filters stay where they begin. */
  learnBands: boolean;
  /** Where they begin; default: octaves around the usual rates. */
  bands?: readonly SincBand[];
}

const BATCH = 64;
/** Adam's steps: of weights, and of edges in octaves. */
const [WEIGHT_RATE, BAND_RATE] = [0.02, 0.02];
const WEIGHT_DECAY = 1e-3;
/** Modulation that counts as none. */
const STEADY = 1e-3;

/** Modulation filters with a linear classifier on what passes them. */
export interface SincClassifier {
  bands: SincBand[];
  responses: SincResponse[];
  /** Class of a sound. */
  predict: (spectrum: Float32Array) => number;
}

/**
 * Learns where modulation filters should lie for classes to be told apart (after the SincModNet of Vahidi, Saitis, Fazekas
 * 2021, much smaller): edges by their analytic gradient, a linear classifier on the logarithm of what passes, Adam, cross
 * entropy. The same seed gives the same filters.
 * @throws the signal's reason
 */
export async function learnSinc(
  { spectra, labels }: SwingSet,
  settings: LearnSettings,
  signal?: AbortSignal,
): Promise<SincClassifier> {
  const { classes, steps, seed, learnBands } = settings;
  const pacer = new Pacer(signal);
  const random = new Random(seed);
  const filters = new SincFilters();
  const bands = (settings.bands ?? octaveBands()).map((band) => ({ ...band }));
  const K = bands.length;
  const D = CARRIER_GROUPS * K;
  let responses = bands.map((band) => filters.response(band));
  let squares = squared(responses);
  const scaling = scalingOf(spectra.map((spectrum) => features(spectrum, squares)));
  // Row by row the weights of a class, and its bias.
  const weights = new Float64Array(classes * (D + 1));
  const edges = new Float64Array(2 * K);
  const adamWeights = new Adam(weights.length, WEIGHT_RATE);
  const adamEdges = new Adam(edges.length, BAND_RATE);
  let order: number[] = [];
  for (let step = 0; step < steps; step++) {
    const gradient = new Float64Array(weights.length);
    const bySquares = new Float64Array(squares.length);
    const size = Math.min(BATCH, spectra.length);
    for (let i = 0; i < size; i++) {
      if (pacer.due(4 * D * FREQUENCIES)) await pacer.pause();
      if (order.length === 0) order = random.shuffle(spectra.map((_, row) => row));
      const row = order.pop() ?? 0;
      const spectrum = spectra[row];
      if (!spectrum) continue;
      const passed = passing(spectrum, squares);
      const x = scaled(
        passed.map((root) => Math.log(root + STEADY)),
        scaling,
      );
      const slopes = softmax(logitsOf(x, weights, classes, D));
      const truth = labels[row] ?? 0;
      slopes[truth] = (slopes[truth] ?? 0) - 1;
      const byX = new Float64Array(D);
      for (let c = 0; c < classes; c++) {
        const slope = (slopes[c] ?? 0) / size;
        const at = c * (D + 1);
        for (let d = 0; d < D; d++) {
          gradient[at + d] = (gradient[at + d] ?? 0) + slope * (x[d] ?? 0);
          byX[d] = (byX[d] ?? 0) + slope * (weights[at + d] ?? 0);
        }
        gradient[at + D] = (gradient[at + D] ?? 0) + slope;
      }
      if (learnBands) towardsSquares(spectrum, passed, byX, scaling, bySquares);
    }
    for (let i = 0; i < weights.length; i++)
      gradient[i] = (gradient[i] ?? 0) + WEIGHT_DECAY * (weights[i] ?? 0);
    adamWeights.step(weights, gradient);
    if (!learnBands) continue;
    const byEdges = edgeGradient(responses, bySquares);
    adamEdges.step(edges, byEdges);
    const begun = settings.bands ?? octaveBands();
    bands.forEach((band, k) => {
      band.low = (begun[k]?.low ?? 0) + (edges[2 * k] ?? 0);
      band.width = (begun[k]?.width ?? 0) + (edges[2 * k + 1] ?? 0);
    });
    responses = bands.map((band) => filters.response(band));
    squares = squared(responses);
  }
  return {
    bands,
    responses,
    predict: (spectrum) => {
      const logits = logitsOf(scaled(features(spectrum, squares), scaling), weights, classes, D);
      return logits.indexOf(Math.max(...logits));
    },
  };
}

/** Squared gains of filters `[K, FREQUENCIES]`. */
function squared(responses: readonly SincResponse[]): Float64Array {
  const squares = new Float64Array(responses.length * FREQUENCIES);
  for (const [k, { gain }] of responses.entries())
    for (let u = 0; u < FREQUENCIES; u++) squares[k * FREQUENCIES + u] = (gain[u] ?? 0) ** 2;
  return squares;
}

/** What passes each filter in each group `[CARRIER_GROUPS · K]`: root of the mean square. */
function passing(spectrum: Float32Array, squares: Float64Array): Float64Array {
  const K = squares.length / FREQUENCIES;
  const out = new Float64Array(CARRIER_GROUPS * K);
  for (let group = 0; group < CARRIER_GROUPS; group++)
    for (let k = 0; k < K; k++) {
      const [from, of] = [group * FREQUENCIES, k * FREQUENCIES];
      let energy = 0;
      for (let u = 0; u < FREQUENCIES; u++) energy += (spectrum[from + u] ?? 0) * (squares[of + u] ?? 0);
      out[group * K + k] = Math.sqrt(energy);
    }
  return out;
}

const features = (spectrum: Float32Array, squares: Float64Array): Float64Array =>
  passing(spectrum, squares).map((root) => Math.log(root + STEADY));

/**
 * Adds what a sound says of the squared gains `[K, FREQUENCIES]`, halved: the chain rule through the logarithm and the root.
 */
function towardsSquares(
  spectrum: Float32Array,
  passed: Float64Array,
  byX: Float64Array,
  { deviation }: Scaling,
  into: Float64Array,
): void {
  const K = into.length / FREQUENCIES;
  for (let group = 0; group < CARRIER_GROUPS; group++)
    for (let k = 0; k < K; k++) {
      const d = group * K + k;
      const root = passed[d] ?? 0;
      if (root < 1e-9) continue;
      const factor = (byX[d] ?? 0) / (deviation[d] ?? 1) / ((root + STEADY) * root);
      const [from, to] = [group * FREQUENCIES, k * FREQUENCIES];
      for (let u = 0; u < FREQUENCIES; u++)
        into[to + u] = (into[to + u] ?? 0) + factor * (spectrum[from + u] ?? 0);
    }
}

function edgeGradient(responses: readonly SincResponse[], bySquares: Float64Array): Float64Array {
  const gradient = new Float64Array(2 * responses.length);
  for (const [k, { gain, byLow, byWidth }] of responses.entries())
    for (let u = 0; u < FREQUENCIES; u++) {
      const slope = (bySquares[k * FREQUENCIES + u] ?? 0) * (gain[u] ?? 0);
      gradient[2 * k] = (gradient[2 * k] ?? 0) + slope * (byLow[u] ?? 0);
      gradient[2 * k + 1] = (gradient[2 * k + 1] ?? 0) + slope * (byWidth[u] ?? 0);
    }
  return gradient;
}

interface Scaling {
  mean: Float64Array;
  deviation: Float64Array;
}

function scalingOf(rows: readonly Float64Array[]): Scaling {
  const D = rows[0]?.length ?? 0;
  const mean = new Float64Array(D);
  const deviation = new Float64Array(D);
  for (const row of rows) row.forEach((value, d) => (mean[d] = (mean[d] ?? 0) + value / rows.length));
  for (const row of rows)
    row.forEach((value, d) => {
      deviation[d] = (deviation[d] ?? 0) + (value - (mean[d] ?? 0)) ** 2 / rows.length;
    });
  // What never changes says nothing.
  return { mean, deviation: deviation.map((value) => Math.max(0.05, Math.sqrt(value))) };
}

const scaled = (row: Float64Array, { mean, deviation }: Scaling): Float64Array =>
  row.map((value, d) => (value - (mean[d] ?? 0)) / (deviation[d] ?? 1));

function logitsOf(x: Float64Array, weights: Float64Array, classes: number, D: number): Float64Array {
  return Float64Array.from({ length: classes }, (_, c) => {
    let logit = weights[c * (D + 1) + D] ?? 0;
    for (let d = 0; d < D; d++) logit += (weights[c * (D + 1) + d] ?? 0) * (x[d] ?? 0);
    return logit;
  });
}

function softmax(logits: Float64Array): Float64Array {
  const most = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - most));
  const sum = powers.reduce((all, power) => all + power, 0);
  return powers.map((power) => power / sum);
}

/** Adam (Kingma, Ba 2015) with its usual constants. */
class Adam {
  readonly #rate: number;
  readonly #first: Float64Array;
  readonly #second: Float64Array;
  #count = 0;

  constructor(size: number, rate: number) {
    this.#rate = rate;
    this.#first = new Float64Array(size);
    this.#second = new Float64Array(size);
  }

  step(values: Float64Array, gradient: Float64Array): void {
    this.#count++;
    const [one, two] = [1 - 0.9 ** this.#count, 1 - 0.999 ** this.#count];
    for (let i = 0; i < values.length; i++) {
      const slope = gradient[i] ?? 0;
      const first = (this.#first[i] = 0.9 * (this.#first[i] ?? 0) + 0.1 * slope);
      const second = (this.#second[i] = 0.999 * (this.#second[i] ?? 0) + 0.001 * slope ** 2);
      values[i] = (values[i] ?? 0) - (this.#rate * (first / one)) / (Math.sqrt(second / two) + 1e-8);
    }
  }
}
