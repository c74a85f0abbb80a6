import { beforeAll, describe, it } from 'vitest';
import type { TensorSource } from '../../models/checkpoint/index.ts';
import type { GraphBuilder, Value } from '../../models/onnx/builder.ts';
import { denoiserGraph } from '../../models/onnx/graphs/denoiser.ts';
import { encodecDecoderGraph, encodecEncoderGraph } from '../../models/onnx/graphs/encodec.ts';
import { encoderGraph } from '../../models/onnx/graphs/encodecmae.ts';
import { summaryGraph } from '../../models/onnx/graphs/summary.ts';
import { sample } from '../../models/pecmae/sampling.ts';
import { checkpoint, compare, Graph, limits, npy, official, stages, tiny } from './official-support.ts';

const { dim, features: featureDim, frames, window, heads, aeHeads } = tiny;
const ENCODECMAE = 'encoder.encodecmae_model';
const SEANET = `${ENCODECMAE}.wav_encoder.model.model`;

/** The windows of the golden sound: two whole ones and a rest of 4923 samples, 16 frames. */
const windows = [
  { index: 0, from: 0, to: window, frames },
  { index: 1, from: window, to: 2 * window, frames },
  { index: 2, from: 2 * window, to: 24_123, frames: 16 },
];

describe.skipIf(official.missing)('diffusion autoencoder against the reference', () => {
  let source: TensorSource;
  let noise: Float32Array;
  const length = frames * featureDim;
  const breakdown = stages('diffae/sample_s10_g4_breakdown.safetensors');
  const row = (name: string, index: number, size: number) =>
    npy(`diffae/${name}.npy`).subarray(index * size, (index + 1) * size);
  const code = (index: number) => row('z_codes', index, dim);

  beforeAll(async () => {
    source = await checkpoint('diffae_tiny/weights.pt');
    noise = npy('diffae/noise.npy');
  });

  async function velocities(): Promise<
    (x: Float32Array, sigma: Float32Array, z: Float32Array) => Promise<Float32Array>
  > {
    const graph = await Graph.open(await denoiserGraph(source, { frames, heads: aeHeads }));
    return (x, sigma, z) => graph.run({ features: x, sigma, z }, { batch: sigma.length });
  }

  it.each(windows)('window $index becomes its code, from sound', async ({ index, from, to, frames: T }) => {
    const sound = npy('wav.npy').subarray(from, to);
    const seanet = await Graph.open(await encodecEncoderGraph(source, { prefix: SEANET }));
    const encoder = await Graph.open(await encoderGraph(source.under(ENCODECMAE), { frames: T, heads }));
    const summary = await Graph.open(await summaryGraph(source, { frames: T, heads: aeHeads }));
    const latents = await seanet.run({ waveform: sound }, { samples: sound.length });
    const hidden = await encoder.run({ features: latents });
    if (index === 2)
      // Unlike a padded clip, the last window is attended to as a whole, its incomplete frame included.
      compare(
        'Autoencoder: hidden of the partial last window',
        hidden,
        npy('diffae/last_window_visible_embeddings.npy'),
        limits.hidden,
      );
    compare(
      'Autoencoder: codes of whole and partial windows',
      await summary.run({ hidden }),
      code(index),
      limits.z,
    );
  });

  it('three whole windows at once give the codes one by one', async () => {
    const encoder = await Graph.open(await encoderGraph(source.under(ENCODECMAE), { frames, heads }));
    const summary = await Graph.open(await summaryGraph(source, { frames, heads: aeHeads }));
    const hidden = stages('ecmae_v1/window0_stages.safetensors')('wav_features');
    const batch = new Float32Array(3 * hidden.length);
    for (const i of [0, 1, 2]) batch.set(hidden, i * hidden.length);
    const z = await summary.run(
      { hidden: await encoder.run({ features: batch }, { batch: 3 }) },
      { batch: 3 },
    );
    for (const i of [0, 1, 2])
      compare('Autoencoder: codes in a batch', z.subarray(i * dim, (i + 1) * dim), code(0), limits.z);
  });

  it('embeds the noise level', async () => {
    const observe = (g: GraphBuilder) => (stage: string, value: Value) => {
      if (stage === 'time_embedding') g.output(stage, value, ['batch', dim]);
    };
    const graph = await Graph.open(await denoiserGraph(source, { frames, heads: aeHeads, observe }));
    const sigma = breakdown('sigmas');
    const items = sigma.length;
    const feeds = { features: new Float32Array(items * length), sigma, z: new Float32Array(items * dim) };
    const found = (await graph.all(feeds, { batch: items })).get('time_embedding') ?? new Float32Array();
    compare('Denoiser: embedding of the noise level', found, breakdown('time_embedding'), limits.z);
  });

  it.each([0, 1])('denoises step %i, both branches of guidance as one batch', async (index) => {
    const observe = (g: GraphBuilder) => (stage: string, value: Value) => {
      if (stage.startsWith('denoiser_')) g.output(stage, value, ['batch', frames + 2, dim]);
    };
    const graph = await Graph.open(await denoiserGraph(source, { frames, heads: aeHeads, observe }));
    const x = index === 0 ? noise.subarray(0, length) : breakdown('s0.x_next');
    const twice = Float32Array.from([...x, ...x]);
    const level = breakdown('sigmas')[index] ?? NaN;
    const z = Float32Array.from([...code(0), ...new Float32Array(dim)]);
    const found = await graph.all({ features: twice, sigma: Float32Array.of(level, level), z }, { batch: 2 });
    const first = (name: string) => {
      const all = found.get(name) ?? new Float32Array();
      return all.subarray(0, all.length / 2);
    };
    compare('Denoiser: tokens', first('denoiser_in'), breakdown(`s${index}.denoiser_in`), limits.sampler);
    compare(
      'Denoiser: transformer',
      first('denoiser_out'),
      breakdown(`s${index}.denoiser_out`),
      limits.hidden,
    );
    const v = found.get('v') ?? new Float32Array();
    compare(
      'Denoiser: v with the condition',
      v.subarray(0, length),
      breakdown(`s${index}.v_cond`),
      limits.sampler,
    );
    compare('Denoiser: v without', v.subarray(length), breakdown(`s${index}.v_uncond`), limits.sampler);
  });

  it.each([0, 1, 4])('samples ten steps with guidance %i, every step', async (guidance) => {
    const denoise = await velocities();
    const seen: number[] = [];
    await sample(denoise, {
      noise: noise.subarray(0, length),
      z: code(0),
      steps: 10,
      sampler: 'ddim',
      guidance,
      onStep: (_, x) => seen.push(...x),
    });
    compare(
      `Sampler: ten steps, guidance ${guidance}`,
      seen,
      npy(`diffae/sample_s10_g${guidance}_steps.npy`),
      limits.sampler,
    );
  });

  it('samples forty steps with guidance 4', async () => {
    const x = await sample(await velocities(), {
      noise: noise.subarray(0, length),
      z: code(0),
      steps: 40,
      sampler: 'ddim',
      guidance: 4,
    });
    compare('Sampler: forty steps, guidance 4', x, npy('diffae/sample_s40_g4_final.npy'), limits.sampler);
  });

  it('turns three codes into sound', async () => {
    const denoise = await velocities();
    const encodec = await checkpoint('encodec_tiny.th');
    const decoder = await Graph.open(await encodecDecoderGraph(encodec, { prefix: 'decoder.model' }));
    const sound: number[] = [];
    for (const index of [0, 1, 2]) {
      const latents = await sample(denoise, {
        noise: noise.subarray(index * length, (index + 1) * length),
        z: code(index),
        steps: 10,
        sampler: 'ddim',
        guidance: 4,
      });
      if (index === 0)
        compare('Sonification: latents', latents, npy('diffae/e2e_latents_w0.npy'), limits.sampler);
      sound.push(...(await decoder.run({ features: latents }, { frames })));
    }
    compare('Sonification: sound of three codes', sound, npy('diffae/e2e_wave_s10_g4.npy'), limits.endToEnd);
  });
});

describe.skipIf(official.missing)('regressor against the reference', () => {
  it.each(['weights_v1.pt', 'weights_v2layout.pt'])('%s: sound → hidden', async (file) => {
    const source = await checkpoint(`regressor_tiny/${file}`);
    const v1 = source.has('encoder.wav_encoder.model.model.0.conv.conv.bias');
    const prefix = v1 ? 'encoder.wav_encoder.model.model' : 'encoder.wav_encoder.encoder.model.model';
    const seanet = await Graph.open(await encodecEncoderGraph(source, { prefix }));
    for (const { index, from, to, frames: T } of windows) {
      const sound = npy('wav.npy').subarray(from, to);
      const encoder = await Graph.open(await encoderGraph(source.under('encoder'), { frames: T, heads }));
      const hidden = await encoder.run({
        features: await seanet.run({ waveform: sound }, { samples: sound.length }),
      });
      compare('Regressor: hidden', hidden, npy(`regressor/visible_${index}.npy`), limits.hidden);
    }
  });
});
