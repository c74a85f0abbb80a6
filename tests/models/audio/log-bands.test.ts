import { describe, expect, it } from 'vitest';
import { LogBands, type LogBandsSettings } from '../../../models/audio/log-bands.ts';
import { Random } from '../../../models/numerics/random.ts';

const [size, hop, bands, samples] = [64, 24, 7, 24 * 11 + 5];
const bins = size / 2 + 1;
const random = new Random(4);

/** Overlapping bands, one of them without any bin. */
const bank = Float32Array.from({ length: bins * bands }, (_, i) => {
  const [bin, band] = [Math.floor(i / bands), i % bands];
  return band === 5 ? 0 : Math.max(0, 1 - Math.abs(bin - 5 * band) / 4);
});

const settings: LogBandsSettings = {
  window: Float32Array.from({ length: size }, (_, n) => 0.03 * (1 - Math.cos((2 * Math.PI * n) / size))),
  hop,
  bank,
  tiny: 1e-12,
  floor: 1e-4,
  mean: random.normals(bands),
  deviation: Float32Array.from({ length: bands }, (_, band) => 0.5 + 0.1 * band),
};

/** The twin of the kernel, by the definition of the Fourier transform in float64. */
function byDefinition(wave: Float32Array): number[] {
  const { window, tiny, floor, mean, deviation } = settings;
  const out: number[] = [];
  for (let t = 0; t < Math.floor(wave.length / hop); t++) {
    const magnitudes = Array.from({ length: bins }, (_, k) => {
      let [real, imaginary] = [0, 0];
      for (let n = 0; n < size; n++) {
        const at = t * hop + n - ((size - hop) >> 1);
        // What is left of the last hop is not looked at.
        const sample = at < Math.floor(wave.length / hop) * hop ? (wave[at] ?? 0) * (window[n] ?? 0) : 0;
        real += sample * Math.cos((2 * Math.PI * k * n) / size);
        imaginary -= sample * Math.sin((2 * Math.PI * k * n) / size);
      }
      return Math.sqrt(real * real + imaginary * imaginary + tiny);
    });
    for (let band = 0; band < bands; band++) {
      const sum = magnitudes.reduce(
        (total, value, bin) => total + value * (bank[bin * bands + band] ?? 0),
        0,
      );
      out.push((Math.log(sum + floor) - (mean[band] ?? 0)) / (deviation[band] ?? 1));
    }
  }
  return out;
}

describe('LogBands', () => {
  it('gives what the definition gives, from silence to full scale', () => {
    const loudness = [0, 1e-6, 1e-3, 0.5, 1];
    const waves = loudness.map((level) => random.normals(samples).map((value) => level * value));
    const kernel = new LogBands(settings, samples);
    const all = Float32Array.from(waves.flatMap((wave) => [...wave]));
    const found = kernel.run(all, waves.length);
    const wanted = waves.flatMap(byDefinition);
    expect(found.length).toBe(wanted.length);
    for (const [i, value] of wanted.entries()) expect(Math.abs((found[i] ?? NaN) - value)).toBeLessThan(3e-5);
  });

  it('forgets one waveform at the next', () => {
    const kernel = new LogBands(settings, samples);
    const [first, second] = [random.normals(samples), random.normals(samples)];
    const alone = kernel.run(second, 1);
    kernel.run(first, 1);
    expect(kernel.run(second, 1)).toEqual(alone);
  });

  it('refuses what does not fit', () => {
    expect(() => new LogBands({ ...settings, window: new Float32Array(60) }, samples)).toThrow(
      '60 is not a power',
    );
    expect(() => new LogBands({ ...settings, hop: 65 }, samples)).toThrow('a hop of 65');
    expect(() => new LogBands({ ...settings, mean: new Float32Array(6) }, samples)).toThrow('do not fit');
    const kernel = new LogBands(settings, samples);
    expect(() => kernel.run(new Float32Array(samples - 1), 1)).toThrow(RangeError);
    expect(() => kernel.run(new Float32Array(), 0)).toThrow('batch 0');
  });
});
