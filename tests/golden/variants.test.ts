import { describe, expect, it } from 'vitest';
import { encoderGraph } from '../../models/onnx/graphs/encodecmae.ts';
import { denoiserGraph } from '../../models/onnx/graphs/denoiser.ts';
import { variantOf } from '../../models/onnx/quantise.ts';
import { variantError, type VariantFeeds } from '../../models/onnx/variant-error.ts';
import { checkpoint, npy, official, stages, tiny } from './official-support.ts';
import { recordParity } from './parity-table.ts';

const { dim, features, frames, heads, aeHeads } = tiny;
/** Every product of the tiny models counts as large, as those of the full-size layers do. */
const smallest = 2000;
/** RMS relative to float32. The tiny weights are drawn to make attention sharp, which 8 bits like least. */
const limits = { float16: 1e-3, int8: 0.04 } as const;
const kinds = ['float16', 'int8'] as const;

describe.skipIf(official.missing)('reduced precision on the reference models', () => {
  it.each(kinds)('keeps the encoder in %s near float32', async (kind) => {
    const source = (await checkpoint('diffae_tiny/weights.pt')).under('encoder.encodecmae_model');
    const graph = await encoderGraph(source, { frames, heads });
    const window = stages('ecmae_v1/window0_stages.safetensors')('wav_features');
    await check('EnCodecMAE', kind, graph, [{ features: { data: window, dims: [1, frames, features] } }]);
  });

  it.each(kinds)('keeps the denoiser in %s near float32', async (kind) => {
    const graph = await denoiserGraph(await checkpoint('diffae_tiny/weights.pt'), { frames, heads: aeHeads });
    const noise = npy('diffae/noise.npy').subarray(0, frames * features);
    const code = npy('diffae/z_codes.npy').subarray(0, dim);
    const runs = [1, 0.5, 0.1].map((sigma) => ({
      features: { data: noise, dims: [1, frames, features] },
      sigma: { data: Float32Array.of(sigma), dims: [1] },
      z: { data: code, dims: [1, dim] },
    }));
    await check('denoiser', kind, graph, runs);
  });
});

async function check(name: string, kind: (typeof kinds)[number], graph: Uint8Array, runs: VariantFeeds[]) {
  const variant = variantOf(graph, kind, { smallest });
  const error = await variantError(graph, variant, runs);
  recordParity(`${name} in ${kind}, RMS relative to float32`, error, limits[kind]);
  expect(error).toBeGreaterThan(0);
  expect(error).toBeLessThan(limits[kind]);
  expect(variant.length).toBeLessThan(0.75 * graph.length);
}
