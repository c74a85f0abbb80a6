import { describe, expect, it } from 'vitest';
import { patchedOut } from '../../../models/onnx/patch-out.ts';
import { parseModel } from '../../../models/onnx/proto.ts';
import { InferenceSession, Tensor } from '../../../models/onnx/runtime.ts';
import { Random } from '../../../models/numerics/random.ts';
import { gridOf, maestGraph, type MaestSizes } from '../../support/tiny-maest.ts';
import { taggerGraph } from '../../support/networks.ts';

const SIZES: MaestSizes = { frames: 126, bands: 96, dim: 32, heads: 4, blocks: 3 };
const OUTPUT = 'PartitionedCall/Identity_2';

async function tokens(onnx: Uint8Array): Promise<Tensor> {
  const session = await InferenceSession.create(onnx);
  const mel = new Random(1).normals(SIZES.frames * SIZES.bands);
  const feed = new Tensor('float32', mel, [1, 1, SIZES.frames, SIZES.bands]);
  const output = (await session.run({ melspectrogram: feed }, [OUTPUT]))[OUTPUT];
  await session.release();
  if (!output) throw new Error('no tokens');
  return output;
}

function worst(a: Tensor, b: Tensor): number {
  expect(a.dims).toEqual(b.dims);
  const [x, y] = [a.data as Float32Array, b.data as Float32Array];
  return x.reduce((most, value, i) => Math.max(most, Math.abs(value - (y[i] ?? NaN))), 0);
}

describe('patch-out at inference', () => {
  const whole = maestGraph(SIZES);
  const { times, rows } = gridOf(SIZES);

  it.each([2, 3, 4])(
    'keeps every %i-th time after the positions, as a graph of those alone',
    async (every) => {
      const kept = Array.from({ length: Math.ceil(times / every) }, (_, i) => i * every);
      const found = await tokens(patchedOut(whole, { every, outputs: [OUTPUT] }));
      expect(found.dims).toEqual([1, 1, 2 + rows * kept.length, SIZES.dim]);
      expect(worst(found, await tokens(maestGraph(SIZES, kept)))).toBeLessThan(1e-5);
    },
  );

  it('changes nothing where all are kept, but what is not read is gone', async () => {
    const trimmed = patchedOut(whole, { every: 1, outputs: [OUTPUT] });
    expect(worst(await tokens(trimmed), await tokens(whole))).toBe(0);
    const names = (model: Uint8Array) => parseModel(model).graph.initializer.map(({ name }) => name);
    expect(names(whole)).toContain('out3');
    expect(names(trimmed)).not.toContain('out3');
  });

  it('says of another network that it cannot be', () => {
    const { onnx } = taggerGraph({ frames: 128, bands: 96, dim: 8, classes: 2 });
    expect(() => patchedOut(onnx, { every: 2, outputs: ['embeddings'] })).toThrow(
      /no transformer over patches/,
    );
  });
});
