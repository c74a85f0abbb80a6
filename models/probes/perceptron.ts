import { setImmediate as nextTurn } from 'node:timers/promises';
import { InferenceSession, Tensor } from '../onnx/runtime.ts';
import { Random } from '../numerics/random.ts';
import { gradientGraph, type Layers, type ProbeTask } from './gradient-graph.ts';

/** Rows to learn from, `[count, D]` and `[count, L]` of 0/1. */
export interface Rows {
  x: Float32Array;
  y: Float32Array;
  count: number;
}

/** A multilayer perceptron with its gradients, computed by ONNX Runtime on one thread: the same numbers every time. */
export class Perceptron {
  readonly layers: Layers;
  readonly sizes: readonly number[];
  readonly #session: InferenceSession;

  private constructor(layers: Layers, session: InferenceSession) {
    this.layers = layers;
    this.sizes = layers.slice(1).flatMap((size, i) => [(layers[i] ?? 0) * size, size]);
    this.#session = session;
  }

  static async open(layers: Layers, task: ProbeTask): Promise<Perceptron> {
    const session = await InferenceSession.create(gradientGraph(layers, task), {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
    });
    return new Perceptron(layers, session);
  }

  /** Glorot's uniform weights, biases 0. */
  initial(seed: number): Float64Array[] {
    const random = new Random(seed);
    return this.sizes.map((size, i) => {
      if (i % 2 === 1) return new Float64Array(size);
      const [from = 0, to = 0] = this.layers.slice(i / 2, i / 2 + 2);
      const limit = Math.sqrt(6 / (from + to));
      return Float64Array.from({ length: size }, () => limit * (2 * random.uniform() - 1));
    });
  }

  /** Mean loss, logits and gradients (weights and biases in turn). */
  async run(
    { x, y, count }: Rows,
    parameters: readonly Float64Array[],
  ): Promise<{ loss: number; logits: Float32Array; gradients: Float32Array[] }> {
    await nextTurn();
    const [dim = 0] = this.layers;
    const feeds: Record<string, Tensor> = {
      x: new Tensor('float32', x, [count, dim]),
      y: new Tensor('float32', y, [count, this.layers.at(-1) ?? 0]),
    };
    parameters.forEach((values, i) => {
      const layer = Math.floor(i / 2);
      const [from = 0, to = 0] = this.layers.slice(layer, layer + 2);
      const dims = i % 2 === 0 ? [from, to] : [to];
      feeds[`${i % 2 === 0 ? 'w' : 'b'}${layer}`] = new Tensor('float32', Float32Array.from(values), dims);
    });
    const found = await this.#session.run(feeds);
    const floats = (name: string): Float32Array => {
      const data = found[name]?.data;
      if (!(data instanceof Float32Array)) throw new Error(`the probe gave no ${name}`);
      return data;
    };
    return {
      loss: floats('loss')[0] ?? NaN,
      logits: floats('logits'),
      gradients: parameters.map((_, i) => floats(`${i % 2 === 0 ? 'gw' : 'gb'}${Math.floor(i / 2)}`)),
    };
  }

  close(): Promise<void> {
    return this.#session.release();
  }
}
