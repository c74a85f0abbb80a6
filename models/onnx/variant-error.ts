import { InferenceSession, Tensor } from './runtime.ts';

/** Inputs of one run: float32 numbers with their sizes, by input name. */
export type VariantFeeds = Readonly<Record<string, { data: Float32Array; dims: readonly number[] }>>;

/**
 * Difference of a variant from the graph it was made of: RMS of the differences over RMS of the original's outputs,
 * over all runs. The two graphs are loaded one after the other, on the CPU.
 * @param runs inputs like those the graph will meet
 * @param threads of ONNX Runtime; default 1
 * @throws Error when a graph fails or the outputs have different sizes
 */
export async function variantError(
  original: Uint8Array,
  variant: Uint8Array,
  runs: readonly VariantFeeds[],
  { threads = 1, signal }: { threads?: number; signal?: AbortSignal } = {},
): Promise<number> {
  const options = { threads, ...(signal ? { signal } : {}) };
  const expected = await runGraph(original, runs, options);
  const actual = await runGraph(variant, runs, options);
  return relativeRms(actual, expected);
}

/** RMS of the differences over RMS of `expected`; 0 when both are zero. */
export function relativeRms(actual: readonly Float32Array[], expected: readonly Float32Array[]): number {
  let [errors, squares] = [0, 0];
  for (const [i, values] of expected.entries()) {
    const found = actual[i];
    if (found?.length !== values.length) throw new Error('the outputs have different sizes');
    for (const [j, value] of values.entries()) {
      errors += ((found[j] ?? NaN) - value) ** 2;
      squares += value ** 2;
    }
  }
  return errors === 0 ? 0 : Math.sqrt(errors / squares);
}

/**
 * All outputs of a graph on the CPU, run after run.
 * @param threads of ONNX Runtime; default 1
 * @throws Error when the graph fails or an output is not float32; the signal's reason
 */
export async function runGraph(
  model: Uint8Array,
  runs: readonly VariantFeeds[],
  { threads = 1, signal }: { threads?: number; signal?: AbortSignal } = {},
): Promise<Float32Array[]> {
  signal?.throwIfAborted();
  const session = await InferenceSession.create(model, {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    enableCpuMemArena: false,
    logSeverityLevel: 3,
  });
  try {
    const found: Float32Array[] = [];
    for (const feeds of runs) {
      signal?.throwIfAborted();
      const tensors = Object.entries(feeds).map(([name, { data, dims }]): [string, Tensor] => [
        name,
        new Tensor('float32', data, dims),
      ]);
      const results = await session.run(Object.fromEntries(tensors));
      for (const name of session.outputNames) {
        const data = results[name]?.data;
        if (!(data instanceof Float32Array)) throw new Error(`the output ${name} is not float32`);
        found.push(data);
      }
    }
    return found;
  } finally {
    await session.release();
  }
}
