import { describe, expect, it } from 'vitest';
import {
  PhaseRetrieval,
  type PhaseRetrievalSettings,
  type Spectra,
} from '../../../models/audio/phase-retrieval.ts';
import { Random } from '../../../models/numerics/random.ts';

interface Complex {
  real: Float64Array;
  imaginary: Float64Array;
}

/** Spectra of frames by the definition of the Fourier transform, in float64. */
function spectraOf(wave: Float64Array, { size, hop }: PhaseRetrievalSettings, frames: number): Complex {
  const bins = size / 2 + 1;
  const hann = window(size);
  const sum = hann.reduce((a, b) => a + b, 0);
  const out = { real: new Float64Array(frames * bins), imaginary: new Float64Array(frames * bins) };
  const first = (size - hop) >> 1;
  for (let t = 0; t < frames; t++)
    for (let k = 0; k < bins; k++) {
      let [real, imaginary] = [0, 0];
      for (let n = 0; n < size; n++) {
        const sample = ((wave[t * hop + n - first] ?? 0) * (hann[n] ?? 0) * 2) / sum;
        real += sample * Math.cos((2 * Math.PI * k * n) / size);
        imaginary -= sample * Math.sin((2 * Math.PI * k * n) / size);
      }
      out.real[t * bins + k] = real;
      out.imaginary[t * bins + k] = imaginary;
    }
  return out;
}

function window(size: number): Float64Array {
  return Float64Array.from({ length: size }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / size));
}

/** The twin of the kernel: the same rounds by the definition, in float64. */
function retrieve(spectra: Spectra, settings: PhaseRetrievalSettings, frames: number): Float64Array {
  const { size, hop, rounds, momentum } = settings;
  const bins = size / 2 + 1;
  const hann = window(size);
  const sum = hann.reduce((a, b) => a + b, 0);
  const first = (size - hop) >> 1;
  let now: Complex = {
    real: Float64Array.from(spectra.real),
    imaginary: Float64Array.from(spectra.imaginary),
  };
  let old: Complex = now;
  let wave = new Float64Array();
  for (let round = 1; round <= rounds; round++) {
    const padded = new Float64Array((frames - 1) * hop + size);
    const weight = new Float64Array(padded.length);
    for (let t = 0; t < frames; t++)
      for (let n = 0; n < size; n++) {
        let sample = 0;
        for (let k = 0; k < bins; k++) {
          const [a, b] = [now.real[t * bins + k] ?? 0, now.imaginary[t * bins + k] ?? 0];
          const scale = (spectra.magnitude[t * bins + k] ?? 0) / (Math.hypot(a, b) + 1e-9);
          const share = k === 0 || k === bins - 1 ? 1 / size : 2 / size;
          const angle = (2 * Math.PI * k * n) / size;
          // At both ends of a spectrum only the real part counts.
          sample += share * scale * (a * Math.cos(angle) - (share > 1 / size ? b * Math.sin(angle) : 0));
        }
        padded[t * hop + n] = (padded[t * hop + n] ?? 0) + sample * (hann[n] ?? 0);
        weight[t * hop + n] = (weight[t * hop + n] ?? 0) + (2 * (hann[n] ?? 0) ** 2) / sum;
      }
    wave = Float64Array.from(
      { length: frames * hop },
      (_, i) => (padded[i + first] ?? 0) / Math.max(weight[i + first] ?? 0, 2e-5),
    );
    const next = spectraOf(wave, settings, frames);
    const beyond = (part: 'real' | 'imaginary') =>
      next[part].map((value, i) => value + momentum * (value - (old[part][i] ?? 0)));
    now = { real: beyond('real'), imaginary: beyond('imaginary') };
    old = next;
  }
  const peak = wave.reduce((a, b) => Math.max(a, Math.abs(b)), 1);
  return wave.map((sample) => sample / peak);
}

function sound(length: number, seed: number): Float64Array {
  const random = new Random(seed);
  return Float64Array.from(
    { length },
    (_, i) => 0.3 * Math.sin(i * 0.21) + 0.2 * Math.sin(i * 0.043) + 0.01 * random.normal(),
  );
}

/** Magnitudes of a sound, with phases that know nothing of it. */
function problem(settings: PhaseRetrievalSettings, frames: number, gain = 1): Spectra {
  const wave = sound(frames * settings.hop, 3).map((sample) => gain * sample);
  const { real, imaginary } = spectraOf(wave, settings, frames);
  const random = new Random(4);
  return {
    magnitude: Float32Array.from(real, (value, i) => Math.hypot(value, imaginary[i] ?? 0)),
    real: Float32Array.from(random.normals(real.length)),
    imaginary: Float32Array.from(random.normals(real.length)),
  };
}

describe('phase retrieval', () => {
  it.each([
    { size: 64, hop: 30, rounds: 1, momentum: 0.99, frames: 7 },
    { size: 64, hop: 16, rounds: 4, momentum: 0.99, frames: 8 },
    { size: 128, hop: 60, rounds: 4, momentum: 0, frames: 5 },
    { size: 16, hop: 16, rounds: 2, momentum: 0.5, frames: 1 },
    { size: 1024, hop: 480, rounds: 1, momentum: 0.99, frames: 3 },
  ])('gives what the definition gives: %j', async ({ frames, ...settings }) => {
    const spectra = problem(settings, frames);
    const expected = retrieve(spectra, settings, frames);
    const found = await new PhaseRetrieval(settings, frames).run(spectra);
    expect(found).toHaveLength(frames * settings.hop);
    const largest = Math.max(...found.map((value, i) => Math.abs(value - (expected[i] ?? NaN))));
    expect(largest).toBeLessThan(1e-5);
  });

  it('comes nearer to the magnitudes with every round, and the same way each time', async () => {
    const frames = 24;
    const errors: number[] = [];
    for (const rounds of [1, 8, 64]) {
      const settings = { size: 128, hop: 32, rounds, momentum: 0.99 };
      const spectra = problem(settings, frames);
      const retrieval = new PhaseRetrieval(settings, frames);
      const found = await retrieval.run(spectra);
      expect(await retrieval.run(spectra)).toEqual(found);
      const { real, imaginary } = spectraOf(Float64Array.from(found), settings, frames);
      let [missed, wanted] = [0, 0];
      for (const [i, magnitude] of spectra.magnitude.entries()) {
        missed += (magnitude - Math.hypot(real[i] ?? 0, imaginary[i] ?? 0)) ** 2;
        wanted += magnitude ** 2;
      }
      errors.push(Math.sqrt(missed / wanted));
    }
    const [first = 0, middle = 0, last = 0] = errors;
    expect(middle).toBeLessThan(first / 2);
    expect(last).toBeLessThan(middle);
  });

  it('never goes beyond full scale, and keeps silence silent', async () => {
    const settings = { size: 64, hop: 32, rounds: 6, momentum: 0.99 };
    const loud = await new PhaseRetrieval(settings, 9).run(problem(settings, 9, 20));
    expect(Math.max(...loud.map(Math.abs))).toBeCloseTo(1, 6);
    const silent = problem(settings, 9, 0);
    expect((await new PhaseRetrieval(settings, 9).run(silent)).every((sample) => sample === 0)).toBe(true);
  });

  it('stops when it is told to', async () => {
    const settings = { size: 64, hop: 32, rounds: 1000, momentum: 0.99 };
    const stop = new AbortController();
    const run = new PhaseRetrieval(settings, 9).run(problem(settings, 9), { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(run).rejects.toThrow('enough');
  });

  it('refuses sizes that cannot be', async () => {
    const fine = { size: 64, hop: 32, rounds: 1, momentum: 0.99 };
    for (const wrong of [
      { size: 48 },
      { size: 8 },
      { hop: 65 },
      { hop: 0 },
      { rounds: 1.5 },
      { momentum: 1 },
    ])
      expect(() => new PhaseRetrieval({ ...fine, ...wrong }, 4)).toThrow(RangeError);
    await expect(new PhaseRetrieval(fine, 4).run(problem(fine, 5))).rejects.toThrow(RangeError);
  });
});
