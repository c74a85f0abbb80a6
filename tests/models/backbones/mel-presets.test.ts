import { describe, expect, it } from 'vitest';
import { readFileSync } from 'node:fs';
import { melPresets, type MelPresetName } from '../../../models/backbones/mel-presets.ts';
import { melBandsGraph, melTriangles, samplesOfFrames } from '../../../models/onnx/graphs/mel-bands.ts';
import { melScales } from '../../../models/audio/mel-scale.ts';
import { InferenceSession, Tensor } from '../../../models/onnx/runtime.ts';
import { recordParity } from '../../golden/parity-table.ts';

/** Rows that another program computed of the sound below: see `origin` in the file. */
const reference = JSON.parse(
  readFileSync(new URL('../../golden/front-ends.json', import.meta.url), 'utf8'),
) as Record<'musicnn' | 'vggish', Record<string, number[]>>;
const SAMPLES = 16_000;

/** A tone, a sweep and a little noise, one second at 16 kHz. */
function sound(samples = SAMPLES): Float32Array {
  let seed = 1;
  return Float32Array.from({ length: samples }, (_, n) => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    const t = n / 16_000;
    if (n >= SAMPLES) return 0;
    return (
      0.3 * Math.sin(2 * Math.PI * 440 * t) +
      0.2 * Math.sin(2 * Math.PI * (100 * t + 1500 * t * t)) +
      0.02 * (seed / 0x3fffffff - 1)
    );
  });
}

async function features(name: MelPresetName, frames: number, hann?: 'periodic'): Promise<Float32Array> {
  const { mel } = melPresets[name];
  const settings = { ...mel, ...(hann ? { hann } : {}) };
  const session = await InferenceSession.create(melBandsGraph(settings, frames));
  const samples = samplesOfFrames(settings, frames);
  const waveform = new Tensor('float32', sound(samples), [1, samples]);
  const { features: output } = await session.run({ waveform });
  await session.release();
  return output?.data as Float32Array;
}

function worst(found: Float32Array, rows: Record<string, number[]>, bands: number): number {
  return Math.max(
    ...Object.entries(rows).flatMap(([frame, row]) =>
      row.map((value, band) => Math.abs((found[Number(frame) * bands + band] ?? NaN) - value)),
    ),
  );
}

describe('the parametric mel front-end', () => {
  function table(stage: string, difference: number, tolerance: number): void {
    recordParity(`Front-end, ${stage}`, difference, tolerance);
    expect(difference).toBeLessThan(tolerance);
  }

  it('gives the rows of Essentia’s MusiCNN and VGGish inputs; a periodic window would not', async () => {
    const musicnn = worst(await features('musicnn', 63), reference.musicnn, 96);
    const vggish = worst(await features('vggish', 100), reference.vggish, 64);
    table('MusiCNN, EffNet-Discogs: log mel rows', musicnn, 1e-3);
    table('VGGish: log mel rows', vggish, 1e-3);
    expect(worst(await features('musicnn', 63, 'periodic'), reference.musicnn, 96)).toBeGreaterThan(1e-2);
  });

  it('shifts and scales MAEST’s as its training did', async () => {
    const [plain, maest] = [await features('effnet-discogs', 8), await features('maest', 8)];
    const wanted = plain.map((value) => (value - 2.06755686098554) / 2.536585641334582);
    table(
      'MAEST: shifted and scaled',
      Math.max(...maest.map((v, i) => Math.abs(v - (wanted[i] ?? NaN)))),
      1e-6,
    );
  });

  it('has triangles of area 1 over hertz, or of peak 1', () => {
    const { mel } = melPresets.musicnn;
    const fine = melTriangles({ ...mel, fft: 8192 });
    const step = mel.sampleRate / 8192;
    for (let band = 0; band < mel.bands; band++) {
      let area = 0;
      for (let bin = 0; bin <= 4096; bin++) area += (fine[bin * mel.bands + band] ?? 0) * step;
      expect(area).toBeCloseTo(1, 1);
    }
    expect(Math.max(...melTriangles(melPresets.vggish.mel))).toBeLessThanOrEqual(1);
    for (const { mel: toMel, hz } of Object.values(melScales)) expect(hz(toMel(3210))).toBeCloseTo(3210, 6);
  });

  it('keeps OpenL3’s window within 80 dB of its loudest band', async () => {
    const levels = await features('openl3', 20);
    expect(Math.max(...levels)).toBe(0);
    expect(Math.min(...levels)).toBeGreaterThanOrEqual(-80);
  });
});
