import { openTwo } from '../onnx/open-two.ts';
import { type InferenceSession, Tensor } from '../onnx/runtime.ts';
import { AdamState, floatsOf, type Parameters } from './adam-state.ts';
import type { AdaptorMasks } from './adaptor.ts';
import {
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
export type { Parameters } from './adam-state.ts';
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
  readonly #gradients: boolean;
  readonly #fixed: HeldValues;
  readonly #state: AdamState;

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
    this.#gradients = options.gradients ?? false;
    this.#fixed = options.fixed ?? {};
    this.#state = new AdamState(this.#shapes, initial, options.schedule);
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
    return openTwo(
      [step, buildEvaluationGraph(spec)],
      sessionOptions,
      (sessions) => new TrainingSession(spec, sessions, initial, options),
    );
  }

  /** One update on the rows of a batch. */
  async step(rows: Int32Array, masks: AdaptorMasks<Float32Array> | null): Promise<StepResult> {
    const feeds: Record<string, Tensor> = {
      ...this.#data,
      ...this.#state.feeds(),
      rows: new Tensor('int64', BigInt64Array.from(rows, BigInt), [rows.length]),
    };
    if (masks) {
      const k = masks.attention.length;
      for (const [name, mask] of Object.entries(masks) as [string, Float32Array][]) {
        feeds[`mask.${name}`] = new Tensor('float32', mask, [k, mask.length / k]);
      }
    }
    const fetches: Record<string, Tensor | null> = { scalars: null, logits: null, ...this.#state.fetches() };
    if (this.#gradients) for (const name of Object.keys(this.#shapes)) fetches[`gradient.${name}`] = null;
    const output = await this.#training.run(feeds, fetches);
    this.#state.advance(output);
    this.#putBack();
    const gradients = this.#gradients
      ? Object.fromEntries(
          Object.keys(this.#shapes).map((name) => [name, floatsOf(output, `gradient.${name}`)]),
        )
      : {};
    return { ...losses(output), logits: floatsOf(output, 'logits'), gradients };
  }

  /** Adam moves each number by its own gradient alone: one that is put back has no part in how the others move. */
  #putBack(): void {
    for (const [name, { at, values }] of Object.entries(this.#fixed)) {
      const data = this.#state.values(name);
      for (const [i, place] of at.entries()) data[place] = values[i] ?? 0;
    }
  }

  /** Forward pass and losses, without dropout, on other data than that of training or, by default, on that. */
  async evaluate(data?: TrainingData): Promise<Evaluation> {
    const output = await this.#evaluation.run({
      ...(data ? tensors(this.#spec, data) : this.#data),
      ...this.#state.tensors(),
    });
    return {
      ...losses(output),
      projected: floatsOf(output, 'projected'),
      distance: floatsOf(output, 'distance'),
      similarity: floatsOf(output, 'similarity'),
      logits: floatsOf(output, 'logits'),
    };
  }

  /** A copy of every parameter as it stands. */
  parameters(): Parameters {
    return this.#state.parameters();
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

function losses(output: Readonly<Record<string, unknown>>): Losses {
  const values = floatsOf(output, 'scalars');
  return Object.fromEntries(scalarNames.map((name, i) => [name, values[i] ?? NaN])) as Losses;
}
