import { InferenceSession, Tensor } from 'onnxruntime-node';

/** An input of a graph with its sizes. */
export type Feed = readonly [data: Float32Array | BigInt64Array, dims: readonly number[]];

/** Runs a graph once with sizes of one's own; outputs by name, int64 as numbers. */
export async function runGraph(
  bytes: Uint8Array,
  feeds: Record<string, Feed>,
): Promise<Map<string, { data: Float32Array; dims: readonly number[] }>> {
  const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  try {
    const tensors = Object.entries(feeds).map(([name, [data, dims]]): [string, Tensor] => [
      name,
      data instanceof Float32Array ? new Tensor('float32', data, dims) : new Tensor('int64', data, dims),
    ]);
    const results = await session.run(Object.fromEntries(tensors));
    return new Map(
      Object.entries(results).map(([name, { data, dims }]) => {
        const numbers = data instanceof BigInt64Array ? Float32Array.from(data, Number) : data;
        if (!(numbers instanceof Float32Array)) throw new Error(`${name} is neither float32 nor int64`);
        return [name, { data: numbers, dims }];
      }),
    );
  } finally {
    await session.release();
  }
}

/** `[rows, columns]` → `[columns, rows]`: golden latents keep channels first, packs keep them last. */
export function flipped(data: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from({ length: data.length }, (_, i) => {
    const [column, row] = [Math.floor(i / rows), i % rows];
    return data[row * columns + column] ?? NaN;
  });
}
