import { describe, expect, it } from 'vitest';
import { melFilters, melFrames, melGraph } from '../../models/onnx/graphs/mel.ts';
import { runGraph } from './codec-support.ts';
import { compare, npy, official, stages } from './official-support.ts';

/** Logarithms of tiny energies: float32 itself is 7e-4 away from float64 in the reference. */
const LOG_LIMIT = 2e-3;
const BANDS = 256;
const SILENCE = -2.03783917427063;

async function features(samples: Float32Array, options: { raw?: boolean } = {}, batch = 1) {
  const found = await runGraph(melGraph(options), { waveform: [samples, [batch, samples.length / batch]] });
  const value = found.get('features');
  if (value === undefined) throw new Error('no features');
  return value;
}

describe.skipIf(official.missing)('the mel front-end of EnCodecMAE v2 against the reference', () => {
  it('has the same filters', () => {
    compare('mel filters', melFilters(), npy('ecmae_v2/mel_filterbank_256x512.npy'), 1e-4);
  });

  it('gives the same log energies, before and after scaling', async () => {
    const wave = npy('wav.npy');
    const raw = await features(wave, { raw: true });
    expect(raw.dims).toEqual([1, melFrames(wave.length), BANDS]);
    compare('mel log energies', raw.data, npy('ecmae_v2/fbank_raw_full.npy'), LOG_LIMIT);
    compare('mel features', (await features(wave)).data, npy('ecmae_v2/fbank_norm_full.npy'), LOG_LIMIT);
  });

  it('gives the same for a window and for a batch of windows', async () => {
    const wave = npy('wav.npy');
    const golden = stages('ecmae_v2/window0_stages.safetensors')('wav_features_in');
    const first = (await features(wave.subarray(0, 9600))).data;
    compare('mel features of one window', first, golden, LOG_LIMIT);
    const second = (await features(wave.subarray(9600, 19_200))).data;
    const both = (await features(wave.subarray(0, 19_200), {}, 2)).data;
    compare('mel features, batch of 2 and alone', both, [...first, ...second], LOG_LIMIT);
  });

  it('hears silence, and a constant, as silence', async () => {
    for (const level of [0, 0.5]) {
      const silent = (await features(new Float32Array(2000).fill(level))).data;
      expect(Math.max(...silent)).toBeCloseTo(SILENCE, 5);
      expect(Math.min(...silent)).toBeCloseTo(SILENCE, 5);
    }
  });

  it('counts whole frames only', () => {
    expect([96_000, 240_000, 637, 636].map(melFrames)).toEqual([300, 753, 1, 0]);
  });
});
