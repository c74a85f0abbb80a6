import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Resampler } from '../../../models/audio/index.ts';

function sine(frequency: number, rate: number, seconds: number, amplitude = 0.5): Float32Array {
  return Float32Array.from(
    { length: Math.round(rate * seconds) },
    (_, i) => amplitude * Math.sin((2 * Math.PI * frequency * i) / rate),
  );
}

function resample(
  input: Float32Array,
  from: number,
  to: number,
  sizes: readonly number[] = [input.length],
): Float32Array {
  const resampler = new Resampler(from, to);
  const parts: Float32Array[] = [];
  let position = 0;
  for (let i = 0; position < input.length; i++) {
    const size = sizes[i % sizes.length] ?? input.length;
    parts.push(resampler.push(input.subarray(position, position + size)));
    position += size;
  }
  parts.push(resampler.flush());
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

/** Ratio in dB of the sine that fits the middle of `y` best to what remains, and the gain of that sine. */
function fit(
  y: Float32Array,
  frequency: number,
  rate: number,
  amplitude = 0.5,
): { snr: number; gain: number } {
  const [a, b] = [Math.floor(y.length * 0.25), Math.floor(y.length * 0.75)];
  let [ss, sc, cc, ys, yc] = [0, 0, 0, 0, 0];
  const angle = (i: number): number => (2 * Math.PI * frequency * i) / rate;
  for (let i = a; i < b; i++) {
    const [s, c, v] = [Math.sin(angle(i)), Math.cos(angle(i)), y[i] ?? 0];
    ss += s * s;
    sc += s * c;
    cc += c * c;
    ys += v * s;
    yc += v * c;
  }
  const det = ss * cc - sc * sc;
  const [sinPart, cosPart] = [(ys * cc - yc * sc) / det, (yc * ss - ys * sc) / det];
  let [rest, power] = [0, 0];
  for (let i = a; i < b; i++) {
    const model = sinPart * Math.sin(angle(i)) + cosPart * Math.cos(angle(i));
    rest += ((y[i] ?? 0) - model) ** 2;
    power += model ** 2;
  }
  return { snr: 10 * Math.log10(power / rest), gain: Math.hypot(sinPart, cosPart) / amplitude };
}

function level(y: Float32Array): number {
  const middle = y.subarray(Math.floor(y.length * 0.25), Math.floor(y.length * 0.75));
  return (
    20 * Math.log10(Math.sqrt(middle.reduce((sum, v) => sum + v * v, 0) / middle.length) / (0.5 / Math.SQRT2))
  );
}

const rates = [8000, 11025, 16000, 22050, 32000, 44100, 44101, 48000, 88200, 96000, 192000];

describe('Resampler', () => {
  it.each(rates)('keeps a 1 kHz tone from %i Hz to 24 kHz clean', (from) => {
    const { snr, gain } = fit(resample(sine(1000, from, 1), from, 24000), 1000, 24000);
    expect(snr).toBeGreaterThan(110);
    expect(20 * Math.log10(gain)).toBeCloseTo(0, 3);
  });

  it.each([44100, 44101, 48000, 96000])('passes 10 kHz and stops 13.5 kHz from %i Hz to 24 kHz', (from) => {
    const pass = fit(resample(sine(10_000, from, 1), from, 24000), 10_000, 24000);
    expect(pass.snr).toBeGreaterThan(100);
    expect(Math.abs(20 * Math.log10(pass.gain))).toBeLessThan(0.1);
    expect(level(resample(sine(13_500, from, 1), from, 24000))).toBeLessThan(-100);
  });

  it('leaves no images when it raises the rate', () => {
    expect(fit(resample(sine(3000, 8000, 1), 8000, 24000), 3000, 24000).snr).toBeGreaterThan(100);
  });

  it.each([
    [44100, 24000, 1470, 800],
    [48000, 24000, 2000, 1000],
    [22050, 24000, 1470, 1600],
    [44101, 24000, 44101, 24000],
  ])('keeps an impulse in its place from %i to %i Hz', (from, to, position, expected) => {
    const input = new Float32Array(2 * position + 1);
    input[position] = 1;
    const output = resample(input, from, to);
    const largest = output.reduce((best, v, i) => (v > (output[best] ?? 0) ? i : best), 0);
    expect(largest).toBe(expected);
    // Linear phase: the same on both sides.
    expect(output[expected - 3]).toBeCloseTo(output[expected + 3] ?? 0, 6);
  });

  it('keeps a constant and the very first sample in place', () => {
    const output = resample(new Float32Array(4000).fill(0.25), 44100, 24000);
    expect(output[1000]).toBeCloseTo(0.25, 6);
    expect(resample(sine(100, 44100, 0.1), 44100, 24000)[0]).toBeCloseTo(0, 2);
  });

  it('passes equal rates through unchanged', () => {
    const input = sine(440, 24000, 0.1);
    expect(resample(input, 24000, 24000, [100])).toEqual(input);
  });

  it('gives the same bits and the exact length whatever the sizes of the pieces', () => {
    const rate = fc.constantFrom(...rates, 12345, 24000);
    fc.assert(
      fc.property(
        rate,
        rate,
        fc.integer({ min: 0, max: 3000 }),
        fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 }),
        fc.integer(),
        (from, to, length, sizes, seed) => {
          const input = Float32Array.from({ length }, (_, i) => Math.sin(seed + i * i * 0.01));
          const whole = resample(input, from, to);
          expect(whole.length).toBe(Math.ceil((length * to) / from));
          expect(resample(input, from, to, sizes)).toEqual(whole);
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each([0, -1, 44100.5, NaN])('refuses a rate of %d', (rate) => {
    expect(() => new Resampler(rate, 24000)).toThrow(RangeError);
  });
});
