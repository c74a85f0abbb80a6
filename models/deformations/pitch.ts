import { Resampler } from '../audio/resampler.ts';
import type { Sound } from './deformation.ts';

/** Seconds of a piece that is put beside the next, and how far it may be moved to fit. */
const PIECE = 0.05;
const REACH = 0.012;

/**
 * Higher or lower by semitones, as long as before: resampled, which moves every partial by exactly the ratio, then
 * stretched back by overlapping pieces where they fit best (WSOLA, Verhelst, Roelands 1993).
 */
export function shiftPitch({ samples, sampleRate }: Sound, semitones: number): Float32Array {
  const ratio = 2 ** (semitones / 12);
  const [from, to] = fractionOf(ratio);
  const resampler = new Resampler(from, to);
  const parts = [resampler.push(samples), resampler.flush()];
  const shifted = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  shifted.set(parts[0] ?? []);
  shifted.set(parts[1] ?? [], parts[0]?.length ?? 0);
  return stretch(shifted, samples.length, sampleRate);
}

/** Whole numbers whose ratio is that within a fifth of a cent: few enough phases for an exact filter bank. */
function fractionOf(ratio: number): [number, number] {
  for (let to = 64; ; to++) {
    const from = Math.round(ratio * to);
    if (Math.abs(1200 * Math.log2(from / to / ratio)) < 0.2) return [from, to];
  }
}

function stretch(source: Float32Array, length: number, sampleRate: number): Float32Array {
  const half = Math.round((PIECE * sampleRate) / 2);
  const reach = Math.round(REACH * sampleRate);
  if (source.length < 2 * half || length < 2 * half) return fitted(source, length);
  const out = new Float32Array(length + 2 * half);
  const step = ((source.length - 2 * half) / Math.max(1, length - 2 * half)) * half;
  const window = Float32Array.from(
    { length: 2 * half },
    (_, i) => 0.5 - 0.5 * Math.cos((Math.PI * (i + 0.5)) / half),
  );
  let wanted = 0;
  for (let piece = 0; piece * half < length; piece++) {
    const ideal = Math.round(piece * step);
    const from = piece === 0 ? 0 : bestFit(source, ideal, wanted, half, reach);
    for (let i = 0; i < 2 * half; i++) {
      const at = piece * half + i;
      // The first half piece has nothing to fade from.
      const weight = piece === 0 && i < half ? 1 : (window[i] ?? 0);
      out[at] = (out[at] ?? 0) + weight * (source[from + i] ?? 0);
    }
    // What would have come next, had the piece gone on.
    wanted = from + half;
  }
  return out.slice(0, length);
}

/** Where around `ideal` the source is most like what begins at `wanted`. */
function bestFit(source: Float32Array, ideal: number, wanted: number, half: number, reach: number): number {
  let [best, bestScore] = [ideal, -Infinity];
  // Every fourth sample of the piece tells enough.
  const stride = 4;
  for (let from = Math.max(0, ideal - reach); from <= ideal + reach; from++) {
    let [product, energy] = [0, 1e-12];
    for (let i = 0; i < half; i += stride) {
      const value = source[from + i] ?? 0;
      product += value * (source[wanted + i] ?? 0);
      energy += value * value;
    }
    const score = product / Math.sqrt(energy);
    if (score > bestScore) [best, bestScore] = [from, score];
  }
  return best;
}

function fitted(source: Float32Array, length: number): Float32Array {
  const out = new Float32Array(length);
  out.set(source.subarray(0, length));
  return out;
}
