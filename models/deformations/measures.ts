import { transform } from '../numerics/fft.ts';

export function powerOf(samples: Float32Array): number {
  let sum = 0;
  for (const value of samples) sum += value * value;
  return sum / Math.max(1, samples.length);
}

/** dB between a sound and what was added to it; null for silence. */
export function signalToNoise(before: Float32Array, after: Float32Array): number | null {
  const noise = powerOf(after.map((value, i) => value - (before[i] ?? 0)));
  const signal = powerOf(before);
  return signal > 0 && noise > 0 ? 10 * Math.log10(signal / noise) : null;
}

/** Amplitudes below and above which `percent` of the samples lie together, half on each side. */
export function clippingBounds(samples: Float32Array, percent: number): [number, number] {
  const sorted = Float32Array.from(samples).sort();
  return [percentile(sorted, percent / 2), percentile(sorted, 100 - percent / 2)];
}

/** Linear between neighbours, as NumPy's. */
function percentile(sorted: Float32Array, percent: number): number {
  const at = (percent / 100) * (sorted.length - 1);
  const below = Math.floor(at);
  const [low, high] = [sorted[below] ?? 0, sorted[Math.min(below + 1, sorted.length - 1)] ?? 0];
  return low + (high - low) * (at - below);
}

/** Shortest sound whose pitch is measured, and how far its strongest partial must stand out from all of its spectrum. */
const SHORTEST = 8192;
const CLEAR = 10;
/** Cents on each side of what is expected in which the shift is looked for. */
const SPAN = 100;

/**
 * Cents by which the spectrum of a sound moved: where its logarithmic spectrum fits best over that of the sound before.
 * Null where there is too little to tell: a short sound, or one without clear partials.
 * @param expected cents, around which to look
 */
export function shiftInCents(
  before: Float32Array,
  after: Float32Array,
  sampleRate: number,
  expected: number,
): number | null {
  const size = Math.min(2 ** 16, 2 ** Math.floor(Math.log2(before.length)));
  if (size < SHORTEST) return null;
  const [a, b] = [before, after].map((sound) => logSpectrum(sound, size, sampleRate));
  if (!a || !b || !isTonal(a)) return null;
  let [best, bestScore] = [0, -Infinity];
  for (let cents = Math.round(expected) - SPAN; cents <= Math.round(expected) + SPAN; cents++) {
    let score = 0;
    for (let i = Math.max(0, -cents); i < a.length && i + cents < b.length; i++)
      score += (a[i] ?? 0) * (b[i + cents] ?? 0);
    if (score > bestScore) [best, bestScore] = [cents, score];
  }
  return bestScore > 0 ? best : null;
}

/** Whether a spectrum has clear partials, as that of noise or of a drum has not. */
function isTonal(spectrum: Float64Array): boolean {
  let [power, most] = [0, 0];
  for (const value of spectrum) {
    power += value * value;
    most = Math.max(most, value);
  }
  return most > CLEAR * Math.sqrt(power / spectrum.length);
}

/** Magnitudes on a scale of cents from 55 Hz up, seven octaves; null for silence. */
function logSpectrum(sound: Float32Array, size: number, sampleRate: number): Float64Array | null {
  const start = Math.max(0, Math.floor((sound.length - size) / 2));
  const real = Float64Array.from({ length: size }, (_, i) => {
    const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size);
    return window * (sound[start + i] ?? 0);
  });
  if (!real.some((value) => Math.abs(value) > 1e-9)) return null;
  const imaginary = new Float64Array(size);
  transform(real, imaginary);
  const magnitude = (bin: number): number => Math.hypot(real[bin] ?? 0, imaginary[bin] ?? 0);
  return Float64Array.from({ length: 7 * 1200 }, (_, cents) => {
    const place = (55 * 2 ** (cents / 1200) * size) / sampleRate;
    const bin = Math.floor(place);
    return bin + 1 < size / 2 ? magnitude(bin) + (magnitude(bin + 1) - magnitude(bin)) * (place - bin) : 0;
  });
}
