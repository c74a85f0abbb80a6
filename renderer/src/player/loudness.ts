/** How loud a sound is, so that sounds can be compared without the louder one seeming the better. */

/** What sounds are brought to where levels are matched, LUFS (EBU R 128). */
export const MATCHED_LUFS = -23;
/** Peak that matching never goes beyond, dB re full scale. */
const HIGHEST_PEAK_DB = -1;
/** More than this would raise nothing but noise. */
const MOST_GAIN_DB = 40;
const ABSOLUTE_GATE = -70;
const RELATIVE_GATE = -10;
const BLOCK_SECONDS = 0.4;

export interface Loudness {
  /** Integrated loudness, LUFS; −∞ for silence. */
  lufs: number;
  /** Highest sample, dB re full scale. */
  peakDb: number;
}

interface Biquad {
  b: readonly [number, number, number];
  a: readonly [number, number];
}

/**
 * The two filters of ITU-R BS.1770 (head, and low cut) at a sample rate, by the bilinear transform of the analogue
 * filters that its coefficients at 48 kHz stand for.
 */
function kWeighting(sampleRate: number): [Biquad, Biquad] {
  const shelf = (): Biquad => {
    const [f0, gain, q] = [1681.974450955533, 3.999843853973347, 0.7071752369554196];
    const k = Math.tan((Math.PI * f0) / sampleRate);
    const vh = 10 ** (gain / 20);
    const vb = vh ** 0.4996667741545416;
    const a0 = 1 + k / q + k * k;
    return {
      b: [(vh + (vb * k) / q + k * k) / a0, (2 * (k * k - vh)) / a0, (vh - (vb * k) / q + k * k) / a0],
      a: [(2 * (k * k - 1)) / a0, (1 - k / q + k * k) / a0],
    };
  };
  const lowCut = (): Biquad => {
    const [f0, q] = [38.13547087602444, 0.5003270373238773];
    const k = Math.tan((Math.PI * f0) / sampleRate);
    const a0 = 1 + k / q + k * k;
    return { b: [1, -2, 1], a: [(2 * (k * k - 1)) / a0, (1 - k / q + k * k) / a0] };
  };
  return [shelf(), lowCut()];
}

function filtered(samples: Float32Array, { b, a }: Biquad): Float32Array {
  const out = new Float32Array(samples.length);
  let [x1, x2, y1, y2] = [0, 0, 0, 0];
  for (let i = 0; i < samples.length; i += 1) {
    const x = samples[i] ?? 0;
    const y = b[0] * x + b[1] * x1 + b[2] * x2 - a[0] * y1 - a[1] * y2;
    [x2, x1, y2, y1] = [x1, x, y1, y];
    out[i] = y;
  }
  return out;
}

const loudnessOf = (power: number): number => -0.691 + 10 * Math.log10(power);

/**
 * Integrated loudness of a mono sound (ITU-R BS.1770-4: K-weighted, in blocks of 400 ms that overlap by three quarters,
 * gated at −70 LUFS and 10 LU below the rest), and its peak. A sound shorter than a block is one block.
 * @param sampleRate Hz
 */
export function measureLoudness(samples: Float32Array, sampleRate: number): Loudness {
  let peak = 0;
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  const peakDb = 20 * Math.log10(peak);
  const [shelf, lowCut] = kWeighting(sampleRate);
  const weighted = filtered(filtered(samples, shelf), lowCut);
  const block = Math.min(weighted.length, Math.round(BLOCK_SECONDS * sampleRate));
  const hop = Math.max(1, Math.round(block / 4));
  const powers: number[] = [];
  for (let first = 0; block > 0 && first + block <= weighted.length; first += hop) {
    let sum = 0;
    for (let i = first; i < first + block; i += 1) sum += (weighted[i] ?? 0) ** 2;
    powers.push(sum / block);
  }
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const audible = powers.filter((power) => power > 0 && loudnessOf(power) > ABSOLUTE_GATE);
  const gate = loudnessOf(mean(audible)) + RELATIVE_GATE;
  const loud = audible.filter((power) => loudnessOf(power) > gate);
  return { lufs: loud.length === 0 ? -Infinity : loudnessOf(mean(loud)), peakDb };
}

/** Gain that brings a sound to the common loudness as far as its peak stays below full scale, dB; 0 for silence. */
export function matchingGainDb({ lufs, peakDb }: Loudness): number {
  if (!Number.isFinite(lufs)) return 0;
  return Math.min(MATCHED_LUFS - lufs, HIGHEST_PEAK_DB - peakDb, MOST_GAIN_DB);
}
