import { Random } from '../numerics/random.ts';
import { magnitudes, type Fourier, type Spectrogram } from './fourier.ts';
import { applyBank, type MelBank } from '../audio/mel-bank.ts';

const NNLS_ITERATIONS = 100;
const EPSILON = 1e-8;

/**
 * Magnitudes `[frames, bins]` whose mel bands are the given ones: non-negative least squares by multiplicative updates
 * (Lee, Seung 2000), from a flat start.
 * @param bands band magnitudes `[frames, bank.bands]`, ≥ 0
 */
export function invertMel(bank: MelBank, bands: Float32Array): Float32Array {
  const target = transposed(bank, bands);
  let x = target.map((value) => value + EPSILON);
  for (let i = 0; i < NNLS_ITERATIONS; i++) {
    const now = transposed(bank, applyBank(bank, x));
    x = x.map((value, j) => (value * (target[j] ?? 0)) / ((now[j] ?? 0) + EPSILON));
  }
  return x;
}

/**
 * A signal with (nearly) these magnitudes: fast Griffin-Lim (Perraudin et al. 2013) from random phases.
 * @param magnitude `[frames, bins]`; @param length samples; @param iterations 32 is customary
 */
export async function griffinLim(
  fourier: Fourier,
  magnitude: Float32Array,
  length: number,
  { iterations = 32, momentum = 0.99, seed = 1 } = {},
): Promise<Float32Array> {
  const random = new Random(seed);
  const { bins } = fourier;
  const frames = magnitude.length / bins;
  const phases = Float32Array.from(magnitude, () => 2 * Math.PI * random.uniform());
  let spectrum: Spectrogram = {
    real: magnitude.map((m, i) => m * Math.cos(phases[i] ?? 0)),
    imaginary: magnitude.map((m, i) => m * Math.sin(phases[i] ?? 0)),
    frames,
    bins,
  };
  let before: Spectrogram | null = null;
  for (let i = 0; i < iterations; i++) {
    const consistent = await fourier.analyse(await fourier.synthesise(spectrum, length));
    spectrum = withMagnitude(magnitude, consistent, before, momentum);
    before = consistent;
  }
  return fourier.synthesise(spectrum, length);
}

/** The given magnitudes with the phases of `now`, driven on along its change since `before`. */
function withMagnitude(
  magnitude: Float32Array,
  now: Spectrogram,
  before: Spectrogram | null,
  momentum: number,
): Spectrogram {
  const push = momentum / (1 + momentum);
  const ahead = (current: Float32Array, last: Float32Array | undefined): Float32Array =>
    current.map((value, i) => value - push * (last?.[i] ?? 0));
  const real = ahead(now.real, before?.real);
  const imaginary = ahead(now.imaginary, before?.imaginary);
  const norm = magnitudes({ ...now, real, imaginary });
  const scale = magnitude.map((m, i) => m / Math.max(norm[i] ?? 0, EPSILON));
  return {
    ...now,
    real: real.map((value, i) => value * (scale[i] ?? 0)),
    imaginary: imaginary.map((value, i) => value * (scale[i] ?? 0)),
  };
}

/** `bands [frames, bands] · weights [bands, bins]`. */
function transposed({ bands, bins, weights }: MelBank, values: Float32Array): Float32Array {
  const frames = values.length / bands;
  const out = new Float32Array(frames * bins);
  for (let band = 0; band < bands; band++) {
    const row = weights.subarray(band * bins, (band + 1) * bins);
    const first = row.findIndex((w) => w > 0);
    const last = row.findLastIndex((w) => w > 0);
    for (let t = 0; t < frames; t++)
      for (let k = first; k <= last; k++)
        out[t * bins + k] = (out[t * bins + k] ?? 0) + (row[k] ?? 0) * (values[t * bands + band] ?? 0);
  }
  return out;
}
