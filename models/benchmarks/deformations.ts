import { Resampler } from '../audio/resampler.ts';
import { Random } from '../numerics/random.ts';

/** Something that happens to recordings and should not change what they are. */
export interface Deformation {
  name: string;
  /** Takes one window, mono; gives a window of the same length. */
  apply: (samples: Float32Array, sampleRate: number, seed: number) => Float32Array | Promise<Float32Array>;
}

const SEMITONE = 2 ** (1 / 12);

/** What a window can suffer without any outside help. */
export const deformations: readonly Deformation[] = [
  { name: 'gain −12 dB', apply: (samples) => samples.map((value) => value * 10 ** (-12 / 20)) },
  { name: 'white noise at 20 dB below the level', apply: (samples, _rate, seed) => noisy(samples, 20, seed) },
  { name: 'one semitone up (faster)', apply: (samples, rate) => varispeed(samples, rate, SEMITONE) },
  { name: 'one semitone down (slower)', apply: (samples, rate) => varispeed(samples, rate, 1 / SEMITONE) },
];

function noisy(samples: Float32Array, signalToNoiseDb: number, seed: number): Float32Array {
  const random = new Random(seed);
  const power = samples.reduce((sum, value) => sum + value * value, 0) / samples.length;
  const scale = Math.sqrt(power) * 10 ** (-signalToNoiseDb / 20);
  return samples.map((value) => value + scale * random.normal());
}

/** Played faster or slower by a factor; cut or filled with silence at the end. */
function varispeed(samples: Float32Array, sampleRate: number, factor: number): Float32Array {
  const resampler = new Resampler(sampleRate, Math.round(sampleRate / factor));
  const out = new Float32Array(samples.length);
  let filled = 0;
  for (const part of [resampler.push(samples), resampler.flush()]) {
    out.set(part.subarray(0, samples.length - filled), filled);
    filled = Math.min(samples.length, filled + part.length);
  }
  return out;
}
