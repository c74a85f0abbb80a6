import { describe, expect, it } from 'vitest';
import {
  npzPieces,
  readNpz,
  TensorFormatError,
  type NpyPieces,
  type TensorData,
} from '../../../models/tensors/index.ts';

async function* of(...pieces: TensorData[]): AsyncGenerator<TensorData> {
  for (const piece of pieces) yield await Promise.resolve(piece);
}

async function bytesOf(arrays: Parameters<typeof npzPieces>[0]): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of npzPieces(arrays)) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe('an .npz in pieces', () => {
  const arrays = () => ({
    words: { dtype: 'text' as const, shape: [2], data: ['é', 'long'] },
    rows: {
      ...{ dtype: 'float32', shape: [3, 2] },
      pieces: of(Float32Array.of(1, 2), Float32Array.of(3, 4, 5, 6)),
    } satisfies NpyPieces,
    none: { dtype: 'int32', shape: [0, 4], pieces: of() } satisfies NpyPieces,
  });

  it('is read as the whole arrays, and is the same bytes again', async () => {
    const bytes = await bytesOf(arrays());
    const read = readNpz(bytes);
    expect(read.get('rows')).toEqual({
      dtype: 'float32',
      shape: [3, 2],
      data: Float32Array.of(1, 2, 3, 4, 5, 6),
    });
    expect(read.get('words')?.data).toEqual(['é', 'long']);
    expect(read.get('none')?.shape).toEqual([0, 4]);
    expect(Buffer.compare(bytes, await bytesOf(arrays()))).toBe(0);
  });

  it('may be made from one buffer that is used again', async () => {
    const buffer = new Float32Array(2);
    async function* again(): AsyncGenerator<TensorData> {
      for (let i = 0; i < 3; i++) yield await Promise.resolve(buffer.fill(i));
    }
    const bytes = await bytesOf({ a: { dtype: 'float32', shape: [6], pieces: again() } });
    expect(Array.from(readNpz(bytes).get('a')?.data ?? [], Number)).toEqual([0, 0, 1, 1, 2, 2]);
  });

  it('is refused where pieces and shape do not agree', async () => {
    const short = { dtype: 'float32' as const, shape: [3], pieces: of(Float32Array.of(1, 2)) };
    await expect(bytesOf({ short })).rejects.toBeInstanceOf(TensorFormatError);
  });
});
