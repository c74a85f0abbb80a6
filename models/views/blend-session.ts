import { openTwo } from '../onnx/open-two.ts';
import { type InferenceSession, Tensor } from '../onnx/runtime.ts';
import { AdamState, floatsOf, type Parameters } from '../pecmae/adam-state.ts';
import type { TrainingProvider } from '../pecmae/training-session.ts';
import {
  blendShapes,
  branchesOf,
  buildBlendEvaluation,
  buildBlendGraph,
  type BlendSpec,
} from './blend-graph.ts';

/** Standardised vectors of each view, [n, D_v], and labels [n, C] of 0 and 1. */
export interface ViewedData {
  x: readonly Float32Array[];
  y: Float32Array;
}

/** Losses of a step or an evaluation. */
export interface BlendLosses {
  /** Classification losses of the branches: the views in order, then the joint head. */
  losses: number[];
  /** Mean over the views. */
  prototypeLoss: number;
}

interface BlendOptions {
  data: ViewedData;
  schedule: { steps: number; learningRate: number };
  provider?: TrainingProvider;
  gradients?: boolean;
}

/** The state of a training of several views, and the two ONNX Runtime sessions that move it; one thread each. */
export class BlendSession {
  readonly #spec: BlendSpec;
  readonly #shapes: Record<string, number[]>;
  readonly #training: InferenceSession;
  readonly #evaluation: InferenceSession;
  readonly #data: Record<string, Tensor>;
  readonly #gradients: boolean;
  readonly #state: AdamState;

  private constructor(
    spec: BlendSpec,
    sessions: [InferenceSession, InferenceSession],
    initial: Readonly<Parameters>,
    options: BlendOptions,
  ) {
    this.#spec = spec;
    this.#shapes = blendShapes(spec);
    [this.#training, this.#evaluation] = sessions;
    this.#data = tensors(spec, options.data);
    this.#gradients = options.gradients ?? false;
    this.#state = new AdamState(this.#shapes, initial, options.schedule);
  }

  static async open(
    spec: BlendSpec,
    initial: Readonly<Parameters>,
    options: BlendOptions,
  ): Promise<BlendSession> {
    const settings: InferenceSession.SessionOptions = {
      executionProviders: [options.provider ?? 'cpu'],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
    };
    const step = buildBlendGraph(spec, { gradients: options.gradients ?? false });
    return openTwo(
      [step, buildBlendEvaluation(spec)],
      settings,
      (sessions) => new BlendSession(spec, sessions, initial, options),
    );
  }

  /** One update on the rows of a batch. @param weights of the branches */
  async step(
    rows: Int32Array,
    weights: readonly number[],
  ): Promise<BlendLosses & { logits: Float32Array; gradients: Parameters }> {
    const feeds: Record<string, Tensor> = {
      ...this.#data,
      ...this.#state.feeds(),
      rows: new Tensor('int64', BigInt64Array.from(rows, BigInt), [rows.length]),
      blend: new Tensor('float32', Float32Array.from(weights), [weights.length]),
    };
    const fetches: Record<string, Tensor | null> = {
      ...{ losses: null, prototypeLoss: null, logits: null },
      ...this.#state.fetches(),
    };
    const names = this.#gradients ? Object.keys(this.#shapes) : [];
    for (const name of names) fetches[`gradient.${name}`] = null;
    const output = await this.#training.run(feeds, fetches);
    this.#state.advance(output);
    const gradients = Object.fromEntries(names.map((name) => [name, floatsOf(output, `gradient.${name}`)]));
    return { ...lossesIn(output), logits: floatsOf(output, 'logits'), gradients };
  }

  /** Losses and logits `[n, C]` of every branch on other data than that of training or, by default, on that. */
  async evaluate(data?: ViewedData): Promise<BlendLosses & { logits: Float32Array[] }> {
    const output = await this.#evaluation.run({
      ...(data ? tensors(this.#spec, data) : this.#data),
      ...this.#state.tensors(),
    });
    const branches = Array.from({ length: branchesOf(this.#spec) }, (_, b) => b);
    return { ...lossesIn(output), logits: branches.map((b) => floatsOf(output, `logits${b}`)) };
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

function tensors({ dims, classes }: BlendSpec, { x, y }: ViewedData): Record<string, Tensor> {
  const n = y.length / classes;
  return {
    ...Object.fromEntries(
      dims.map((dim, v) => [`x${v}`, new Tensor('float32', x[v] ?? new Float32Array(), [n, dim])]),
    ),
    y: new Tensor('float32', y, [n, classes]),
  };
}

function lossesIn(output: Readonly<Record<string, unknown>>): BlendLosses {
  return {
    losses: [...floatsOf(output, 'losses')],
    prototypeLoss: floatsOf(output, 'prototypeLoss')[0] ?? NaN,
  };
}
