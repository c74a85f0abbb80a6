import { readFileSync } from 'node:fs';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect } from 'vitest';
import { checkpointSource, openCheckpoint, type TensorSource } from '../../models/checkpoint/index.ts';
import { readFloat32Npy, readSafetensors, type TensorData } from '../../models/tensors/index.ts';
import { afterFile } from '../support/after-file.ts';
import { sharedFolder } from '../support/shared.ts';
import { recordParity } from './parity-table.ts';

/** Golden data of the official models. */
export const official = sharedFolder('golden/pecmae');

/** Limits from the golden README: about ten times the float32 noise of the reference itself. */
export const limits = {
  latents: 1e-4,
  wave: 2e-5,
  hidden: 3e-4,
  z: 5e-5,
  sampler: 5e-5,
  endToEnd: 1e-5,
  exact: 0,
} as const;

/** Sizes of the tiny models. */
export const tiny = { dim: 48, features: 16, frames: 30, window: 9600, heads: 4, aeHeads: 6 } as const;

function bytesOf(name: string): Uint8Array {
  return readFileSync(official.path(name));
}

/** A float32 `.npy`. */
export function npy(name: string): Float32Array {
  return readFloat32Npy(bytesOf(name)).data;
}

/** Tensors of a safetensors file by name; the file is read when the first is asked for. */
export function stages(name: string): (stage: string) => Float32Array {
  let read: ReturnType<typeof readSafetensors> | undefined;
  return (stage) => {
    read ??= readSafetensors(bytesOf(name));
    const { data } = find(read.tensors, stage);
    return Float32Array.from(Array.from(data as TensorData & ArrayLike<number>, Number));
  };
}

function find<T>(tensors: ReadonlyMap<string, T>, name: string): T {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw new Error(`no tensor ${name}`);
  return tensor;
}

/** Tensors of a golden checkpoint, such as `diffae_tiny/weights.pt`; closed when the test file ends. */
export async function checkpoint(name: string): Promise<TensorSource> {
  const file = await openCheckpoint(official.path('ckpt', name));
  afterFile(() => file.close());
  return checkpointSource(file);
}

/** A graph ready to run on float32 (and int64) arrays; the output is the one named, or the only one. */
export class Graph {
  readonly #session: InferenceSession;

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  static async open(bytes: Uint8Array, providers: string[] = ['cpu']): Promise<Graph> {
    return new Graph(
      await InferenceSession.create(bytes, {
        executionProviders: providers,
        intraOpNumThreads: 1,
        logSeverityLevel: 3,
      }),
    );
  }

  /** All outputs by name. Sizes that the graph leaves open (`batch`, `frames`, …) are told, and 1 otherwise. */
  async all(feeds: Feeds, open: Sizes = {}): Promise<Map<string, Float32Array>> {
    const tensors = Object.entries(feeds).map(([name, data]): [string, Tensor] => {
      const meta = this.#session.inputMetadata.find((m) => m.name === name);
      if (!meta?.isTensor) throw new Error(`the graph has no input ${name}`);
      const dims = meta.shape.map((size) => (typeof size === 'number' ? size : (open[size] ?? 1)));
      return [
        name,
        data instanceof Float32Array ? new Tensor('float32', data, dims) : new Tensor('int64', data, dims),
      ];
    });
    const results = await this.#session.run(Object.fromEntries(tensors));
    return new Map(
      Object.entries(results).map(([name, { data }]) => {
        if (!(data instanceof Float32Array)) throw new Error(`${name} is not float32`);
        return [name, data];
      }),
    );
  }

  /** The only output. */
  async run(feeds: Feeds, open: Sizes = {}): Promise<Float32Array> {
    const [first, ...others] = (await this.all(feeds, open)).values();
    if (first === undefined || others.length > 0) throw new Error('one output was expected');
    return first;
  }
}

type Feeds = Readonly<Record<string, Float32Array | BigInt64Array>>;
type Sizes = Readonly<Record<string, number>>;

/** Largest absolute difference; NaN when a length differs or a value is NaN. */
export function worstDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return NaN;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs((actual[i] ?? NaN) - (expected[i] ?? NaN));
    if (!(difference <= worst)) worst = difference;
  }
  return worst;
}

/** Compares with the reference, and reports the difference to the parity table. */
export function compare(
  stage: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  limit: number,
): void {
  expect(actual.length, stage).toBe(expected.length);
  const worst = worstDifference(actual, expected);
  recordParity(stage, worst, limit);
  expect(worst, stage).toBeLessThanOrEqual(limit);
}
