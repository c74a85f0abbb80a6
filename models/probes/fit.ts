import { Random } from '../numerics/random.ts';
import { minimise } from './lbfgs.ts';
import { Perceptron, type Rows } from './perceptron.ts';
import type { ProbeTask } from './gradient-graph.ts';

/** Scores `[n, L]` of rows `[n, D]`: probabilities. */
export type Scorer = (x: Float32Array, count: number) => Promise<Float64Array>;

interface FitOptions {
  dim: number;
  labels: number;
  task: ProbeTask;
  signal: AbortSignal;
}

const ITERATIONS = 300;
const TOLERANCE = 1e-5;

/**
 * Logistic regression to its optimum: mean loss + ‖W‖² / (2·C·n), scikit-learn's objective; one for each label in a
 * multilabel task.
 * @param strength C: the smaller, the more weights are held back
 */
export async function fitLinear(train: Rows, strength: number, options: FitOptions): Promise<Scorer> {
  const { dim, labels, task, signal } = options;
  const network = await Perceptron.open([dim, labels], task);
  const size = dim * labels;
  // The labels of a multilabel task are regressions of their own: their losses are summed, not averaged.
  const scale = task === 'multi' ? labels : 1;
  const penalty = 1 / (strength * train.count);
  const found = await minimise(
    new Float64Array(size + labels),
    async (at) => {
      signal.throwIfAborted();
      const { loss, gradients } = await network.run(train, [at.subarray(0, size), at.subarray(size)]);
      const gradient = new Float64Array(at.length);
      let value = scale * loss;
      gradients[0]?.forEach((slope, i) => {
        const weight = at[i] ?? 0;
        value += (penalty / 2) * weight * weight;
        gradient[i] = scale * slope + penalty * weight;
      });
      gradients[1]?.forEach((slope, i) => (gradient[size + i] = scale * slope));
      return { value, gradient };
    },
    { iterations: ITERATIONS, tolerance: TOLERANCE },
  );
  return scorer(network, [found.slice(0, size), found.slice(size)], task);
}

/** How a multilayer perceptron is trained; defaults are mir_ref's. */
export interface MlpSettings {
  hidden: readonly number[];
  weightDecay: number;
  learningRate: number;
  batchSize: number;
  epochs: number;
  /** Epochs without a better validation loss after which it ends. */
  patience: number;
  seed: number;
}

/** Adam's constants. */
const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-7];

/**
 * A multilayer perceptron by Adam, with an L2 penalty on weights and biases; the parameters of the best validation loss
 * are kept, the last ones where there is no validation part. The rest of an epoch that fills no batch is a smaller batch.
 */
export async function fitMlp(
  train: Rows,
  validation: Rows | null,
  settings: MlpSettings,
  { dim, labels, task, signal }: FitOptions,
): Promise<Scorer> {
  const network = await Perceptron.open([dim, ...settings.hidden, labels], task);
  const parameters = network.initial(settings.seed);
  const [first, second] = [0, 0].map(() => parameters.map((values) => new Float64Array(values.length)));
  const random = new Random(settings.seed);
  let best = { loss: Infinity, parameters: parameters.map((values) => values.slice()) };
  let [step, waited] = [0, 0];
  for (let epoch = 0; epoch < settings.epochs; epoch++) {
    signal.throwIfAborted();
    const order = random.shuffle(Array.from({ length: train.count }, (_, row) => row));
    for (let from = 0; from < train.count; from += settings.batchSize) {
      const batch = takeRows(train, order.slice(from, from + settings.batchSize), dim, labels);
      const { gradients } = await network.run(batch, parameters);
      step += 1;
      const rate = (settings.learningRate * Math.sqrt(1 - BETA2 ** step)) / (1 - BETA1 ** step);
      gradients.forEach((slopes, p) => {
        const [values, m, v] = [parameters[p], first?.[p], second?.[p]];
        if (!values || !m || !v) return;
        for (let i = 0; i < values.length; i++) {
          const slope = (slopes[i] ?? 0) + 2 * settings.weightDecay * (values[i] ?? 0);
          m[i] = BETA1 * (m[i] ?? 0) + (1 - BETA1) * slope;
          v[i] = BETA2 * (v[i] ?? 0) + (1 - BETA2) * slope * slope;
          values[i] = (values[i] ?? 0) - (rate * (m[i] ?? 0)) / (Math.sqrt(v[i] ?? 0) + EPSILON);
        }
      });
    }
    if (!validation) continue;
    const { loss } = await network.run(validation, parameters);
    if (loss < best.loss) {
      best = { loss, parameters: parameters.map((values) => values.slice()) };
      waited = 0;
    } else if (++waited >= settings.patience) break;
  }
  return scorer(network, validation ? best.parameters : parameters, task);
}

function scorer(network: Perceptron, parameters: readonly Float64Array[], task: ProbeTask): Scorer {
  const labels = network.layers.at(-1) ?? 0;
  return async (x, count) => {
    const { logits } = await network.run({ x, y: new Float32Array(count * labels), count }, parameters);
    return task === 'multi'
      ? Float64Array.from(logits, (s) => 1 / (1 + Math.exp(-s)))
      : softmax(logits, labels);
  };
}

function softmax(logits: Float32Array, labels: number): Float64Array {
  const out = new Float64Array(logits.length);
  for (let row = 0; row < logits.length; row += labels) {
    const own = logits.subarray(row, row + labels);
    const top = own.reduce((a, b) => Math.max(a, b), -Infinity);
    const total = own.reduce((sum, s) => sum + Math.exp(s - top), 0);
    own.forEach((s, i) => (out[row + i] = Math.exp(s - top) / total));
  }
  return out;
}

function takeRows({ x, y }: Rows, rows: readonly number[], dim: number, labels: number): Rows {
  const part = {
    x: new Float32Array(rows.length * dim),
    y: new Float32Array(rows.length * labels),
    count: rows.length,
  };
  rows.forEach((row, i) => {
    part.x.set(x.subarray(row * dim, (row + 1) * dim), i * dim);
    part.y.set(y.subarray(row * labels, (row + 1) * labels), i * labels);
  });
  return part;
}

/**
 * Sizes of hidden layers as mir_ref works them out from the vector's size and the number of labels.
 * @param units numbers, or `infer` (evenly spaced) or `power_infer` (by squares) once for each layer
 */
export function hiddenSizes(units: readonly (number | string)[], dim: number, labels: number): number[] {
  const layers = units.length;
  return units.map((unit, i) => {
    if (typeof unit === 'number') return unit;
    const step = (dim - labels) / (layers + 1);
    const size =
      unit === 'power_infer'
        ? Math.trunc(step * (i + 1) ** 2 + labels)
        : Math.trunc(labels + (layers - i) * step);
    return Math.max(1, size + (size % 2));
  });
}
