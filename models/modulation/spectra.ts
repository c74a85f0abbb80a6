import { melBank, type MelBank } from '../audio/mel-bank.ts';
import { melScales } from '../audio/mel-scale.ts';
import { transform } from '../numerics/fft.ts';
import type { Pacer } from '../numerics/pacer.ts';
import { ENVELOPE_RATE } from './filters.ts';

/** Hz */
export const SAMPLE_RATE = 16_000;
/**
 * Frames of 16 ms: a Hann window of 32 ms, as is usual for the bands alone, lets nothing of a modulation of 62.5 Hz
 * through. Whole frames only, since silence beyond the ends would itself be a modulation.
 */
export const FRAME = 256;
export const HOP = SAMPLE_RATE / ENVELOPE_RATE;
export const BINS = FRAME / 2 + 1;
export const CARRIER_BANDS = 40;
/** Hz */
export const CARRIER_ENDS: readonly [number, number] = [60, 7500];
/** Work of one Fourier transform, for the pacer. */
const UNITS = 12 * FRAME;

export const hann = Float64Array.from(
  { length: FRAME },
  (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / FRAME),
);

/** The mel bands whose envelopes are looked at: each of weight 1 in all. */
export const carrierBank = (): MelBank => melBank(CARRIER_BANDS, FRAME, SAMPLE_RATE, CARRIER_ENDS);

/** Centres of the carrier bands, Hz. */
export function carrierCentres(): number[] {
  const { mel, hz } = melScales.slaney;
  const [low, high] = [mel(CARRIER_ENDS[0]), mel(CARRIER_ENDS[1])];
  return Array.from({ length: CARRIER_BANDS }, (_, i) =>
    hz(low + ((high - low) * (i + 1)) / (CARRIER_BANDS + 1)),
  );
}

/** Short-time spectra of a sound. */
export interface Spectra {
  frames: number;
  /** `[frames, BINS]` */
  real: Float32Array;
  /** `[frames, BINS]` */
  imaginary: Float32Array;
}

/** Whole frames in so many samples. */
export function framesIn(samples: number): number {
  return samples < FRAME ? 0 : 1 + Math.floor((samples - FRAME) / HOP);
}

/** @throws the pacer's signal's reason */
export async function spectraOf(samples: Float32Array, pacer: Pacer): Promise<Spectra> {
  const frames = framesIn(samples.length);
  const real = new Float32Array(frames * BINS);
  const imaginary = new Float32Array(frames * BINS);
  const [re, im] = [new Float64Array(FRAME), new Float64Array(FRAME)];
  // Two real frames make one complex one.
  for (let t = 0; t < frames; t += 2) {
    if (pacer.due(UNITS)) await pacer.pause();
    for (let n = 0; n < FRAME; n++) {
      const w = hann[n] ?? 0;
      re[n] = w * (samples[t * HOP + n] ?? 0);
      im[n] = t + 1 < frames ? w * (samples[(t + 1) * HOP + n] ?? 0) : 0;
    }
    transform(re, im);
    for (let k = 0; k < BINS; k++) {
      const mirror = (FRAME - k) % FRAME;
      const [a, b, c, d] = [re[k] ?? 0, im[k] ?? 0, re[mirror] ?? 0, im[mirror] ?? 0];
      real[t * BINS + k] = (a + c) / 2;
      imaginary[t * BINS + k] = (b - d) / 2;
      if (t + 1 === frames) continue;
      real[(t + 1) * BINS + k] = (b + d) / 2;
      imaginary[(t + 1) * BINS + k] = (c - a) / 2;
    }
  }
  return { frames, real, imaginary };
}

/** The sound whose spectra come nearest to these, `[length]`: overlapping frames, weighted by their window. */
export async function soundOf(
  { frames, real, imaginary }: Spectra,
  length: number,
  pacer: Pacer,
): Promise<Float32Array> {
  const sum = new Float64Array(length);
  const weight = new Float64Array(length);
  const [re, im] = [new Float64Array(FRAME), new Float64Array(FRAME)];
  for (let t = 0; t < frames; t += 2) {
    if (pacer.due(UNITS)) await pacer.pause();
    const other = t + 1 < frames ? 1 : 0;
    for (let k = 0; k < BINS; k++) {
      const mirror = (FRAME - k) % FRAME;
      const [a, b] = [real[t * BINS + k] ?? 0, imaginary[t * BINS + k] ?? 0];
      const [c, d] = other
        ? [real[(t + 1) * BINS + k] ?? 0, imaginary[(t + 1) * BINS + k] ?? 0]
        : ([0, 0] as const);
      re[k] = a - d;
      im[k] = b + c;
      re[mirror] = a + d;
      im[mirror] = c - b;
    }
    transform(re, im, true);
    for (let n = 0; n < FRAME; n++) {
      const w = hann[n] ?? 0;
      const at = t * HOP + n;
      sum[at] = (sum[at] ?? 0) + (w * (re[n] ?? 0)) / FRAME;
      weight[at] = (weight[at] ?? 0) + w * w;
      if (!other) continue;
      sum[at + HOP] = (sum[at + HOP] ?? 0) + (w * (im[n] ?? 0)) / FRAME;
      weight[at + HOP] = (weight[at + HOP] ?? 0) + w * w;
    }
  }
  // Where hardly any frame reaches, at the two ends, nothing can be said.
  return Float32Array.from(sum, (value, n) => ((weight[n] ?? 0) > 1e-3 ? value / (weight[n] ?? 1) : 0));
}

/** Envelopes of the carrier bands `[CARRIER_BANDS, frames]`, scaled so that a full-scale sine has about 1 in its bin. */
export function envelopesOf({ frames, real, imaginary }: Spectra, bank: MelBank): Float32Array {
  const { bands, weights } = bank;
  const envelopes = new Float32Array(bands * frames);
  // Hann windows sum to half their length, and a real sine has half its amplitude at each sign of its frequency.
  const scale = 4 / FRAME;
  const magnitudes = real.map((value, i) => scale * Math.hypot(value, imaginary[i] ?? 0));
  for (let band = 0; band < bands; band++) {
    const row = weights.subarray(band * BINS, (band + 1) * BINS);
    const first = row.findIndex((w) => w > 0);
    const last = row.findLastIndex((w) => w > 0);
    for (let t = 0; t < frames; t++) {
      let sum = 0;
      for (let k = first; k <= last; k++) sum += (row[k] ?? 0) * (magnitudes[t * BINS + k] ?? 0);
      envelopes[band * frames + t] = sum;
    }
  }
  return envelopes;
}
