import { InferenceSession, Tensor } from '../onnx/runtime.ts';
import type { AdaptorMasks } from './adaptor.ts';
import { oneCycle } from './one-cycle.ts';
import {
  adamScalars,
  buildEvaluationGraph,
  buildTrainingGraph,
  parameterShapes,
  scalarNames,
  type GraphSpec,
} from './training-graph.ts';

/** Execution providers of ONNX Runtime that a training run may ask for. */
export type TrainingProvider = 'cuda' | 'dml' | 'coreml' | 'webgpu' | 'cpu';

/** Losses on one batch. */
export type Losses = Record<(typeof scalarNames)[number], number>;
/** Values of every parameter by name. */
export type Parameters = Record<string, Float32Array>;
/** Numbers of parameters that no step changes: where they lie, and what they are. */
export type HeldValues = Record<string, { at: Int32Array; values: Float32Array }>;
/** What one step reports. */
export interface StepResult extends Losses {
  /** [B, C], before the update. */
  logits: Float32Array;
  /** By parameter, without weight decay; empty unless asked for. */
  gradients: Parameters;
}
/** What an evaluation reports. */
export interface Evaluation extends Losses {
  projected: Float32Array;
  distance: Float32Array;
  similarity: Float32Array;
  logits: Float32Array;
}

/**
 * The state of a training run and the two ONNX Runtime sessions that move it. One thread per session: results then
 * do not depend on how many cores a machine has.
 */
export class TrainingSession {
  readonly #spec: GraphSpec;
  readonly #shapes: Record<string, number[]>;
  readonly #training: InferenceSession;
  readonly #evaluation: InferenceSession;
  readonly #data: { x: Tensor; y: Tensor };
  readonly #schedule: { steps: number; learningRate: number };
  readonly #gradients: boolean;
  readonly #fixed: HeldValues;
  #state: Record<string, Tensor>;
  /** Buffers of the state before last, which the next step may overwrite. */
  #spare: Record<string, Tensor>;
  #step = 0;

  private constructor(
    spec: GraphSpec,
    sessions: [InferenceSession, InferenceSession],
    initial: Readonly<Parameters>,
    options: SessionOptions,
  ) {
    this.#spec = spec;
    this.#shapes = parameterShapes(spec);
    [this.#training, this.#evaluation] = sessions;
    this.#data = tensors(spec, options.data);
    this.#schedule = options.schedule;
    this.#gradients = options.gradients ?? false;
    this.#fixed = options.fixed ?? {};
    this.#state = {};
    this.#spare = {};
    for (const [name, shape] of Object.entries(this.#shapes)) {
      const values = initial[name];
      if (values === undefined) throw new Error(`no initial value for ${name}`);
      for (const [key, data] of [
        [name, values.slice()],
        [`${name}.m`, new Float32Array(values.length)],
        [`${name}.v`, new Float32Array(values.length)],
      ] as const) {
        this.#state[key] = new Tensor('float32', data, shape);
        this.#spare[key] = new Tensor('float32', new Float32Array(values.length), shape);
      }
    }
  }

  /** Builds the graphs and opens the sessions. */
  static async open(
    spec: GraphSpec,
    initial: Readonly<Parameters>,
    options: SessionOptions,
  ): Promise<TrainingSession> {
    const sessionOptions: InferenceSession.SessionOptions = {
      executionProviders: [options.provider ?? 'cpu'],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
    };
    const step = buildTrainingGraph(spec, { gradients: options.gradients ?? false });
    const training = await InferenceSession.create(step, sessionOptions);
    const evaluation = await InferenceSession.create(buildEvaluationGraph(spec), sessionOptions);
    return new TrainingSession(spec, [training, evaluation], initial, options);
  }

  /** One update on the rows of a batch. */
  async step(rows: Int32Array, masks: AdaptorMasks<Float32Array> | null): Promise<StepResult> {
    const { steps, learningRate } = this.#schedule;
    const schedule = oneCycle(this.#step, steps, learningRate);
    const { stepSize, root2 } = adamScalars(this.#step, schedule.learningRate, schedule.beta1);
    const feeds: Record<string, Tensor> = {
      ...this.#data,
      ...this.#state,
      rows: new Tensor('int64', BigInt64Array.from(rows, BigInt), [rows.length]),
      beta1: scalar(schedule.beta1),
      stepSize: scalar(stepSize),
      root2: scalar(root2),
    };
    if (masks) {
      const k = masks.attention.length;
      for (const [name, mask] of Object.entries(masks) as [string, Float32Array][]) {
        feeds[`mask.${name}`] = new Tensor('float32', mask, [k, mask.length / k]);
      }
    }
    const fetches: Record<string, Tensor | null> = { scalars: null, logits: null };
    for (const name of Object.keys(this.#state)) fetches[`next.${name}`] = this.#spare[name] ?? null;
    if (this.#gradients) for (const name of Object.keys(this.#shapes)) fetches[`gradient.${name}`] = null;
    const output = await this.#training.run(feeds, fetches);
    this.#spare = this.#state;
    this.#state = Object.fromEntries(
      Object.keys(this.#state).map((name) => [name, tensor(output, `next.${name}`)]),
    );
    this.#putBack();
    this.#step += 1;
    const gradients = this.#gradients
      ? Object.fromEntries(
          Object.keys(this.#shapes).map((name) => [name, floats(output, `gradient.${name}`)]),
        )
      : {};
    return { ...losses(output), logits: floats(output, 'logits'), gradients };
  }

  /** Adam moves each number by its own gradient alone: one that is put back has no part in how the others move. */
  #putBack(): void {
    for (const [name, { at, values }] of Object.entries(this.#fixed)) {
      const data = floats(this.#state, name);
      for (const [i, place] of at.entries()) data[place] = values[i] ?? 0;
    }
  }

  /** Forward pass and losses, without dropout, on other data than that of training or, by default, on that. */
  async evaluate(data?: TrainingData): Promise<Evaluation> {
    const parameters = Object.fromEntries(
      Object.keys(this.#shapes).map((name) => [name, tensor(this.#state, name)]),
    );
    const output = await this.#evaluation.run({
      ...(data ? tensors(this.#spec, data) : this.#data),
      ...parameters,
    });
    return {
      ...losses(output),
      projected: floats(output, 'projected'),
      distance: floats(output, 'distance'),
      similarity: floats(output, 'similarity'),
      logits: floats(output, 'logits'),
    };
  }

  /** A copy of every parameter as it stands. */
  parameters(): Parameters {
    return Object.fromEntries(
      Object.keys(this.#shapes).map((name) => [name, floats(this.#state, name).slice()]),
    );
  }

  /** Frees the sessions; the object is of no use afterwards. */
  async close(): Promise<void> {
    await this.#training.release();
    await this.#evaluation.release();
  }
}

/** Normalised embeddings [n, D] and labels [n, C] of 0 and 1. */
export interface TrainingData {
  x: Float32Array;
  y: Float32Array;
}

/** Options of {@link TrainingSession.open}. */
export interface SessionOptions {
  data: TrainingData;
  schedule: { steps: number; learningRate: number };
  provider?: TrainingProvider;
  gradients?: boolean;
  fixed?: HeldValues;
}

function tensors(spec: GraphSpec, { x, y }: TrainingData): { x: Tensor; y: Tensor } {
  const n = x.length / spec.dim;
  return { x: new Tensor('float32', x, [n, spec.dim]), y: new Tensor('float32', y, [n, spec.classes]) };
}

function scalar(value: number): Tensor {
  return new Tensor('float32', Float32Array.of(value), []);
}

function tensor(values: Readonly<Record<string, unknown>>, name: string): Tensor {
  const value = values[name];
  if (!(value instanceof Tensor)) throw new Error(`ONNX Runtime returned no ${name}`);
  return value;
}

function floats(values: Readonly<Record<string, unknown>>, name: string): Float32Array {
  const { data } = tensor(values, name);
  if (!(data instanceof Float32Array)) throw new Error(`${name} is not float32`);
  return data;
}

function losses(output: Readonly<Record<string, unknown>>): Losses {
  const values = floats(output, 'scalars');
  return Object.fromEntries(scalarNames.map((name, i) => [name, values[i] ?? NaN])) as Losses;
}
