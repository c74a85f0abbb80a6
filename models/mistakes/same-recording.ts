import { transform } from '../numerics/fft.ts';

/** Of what is compared, Hz: codecs keep what lies below 4 kHz nearly as it was, and every rate holds it. */
export const HEARD_RATE = 8000;
/** Seconds of each that are compared: one comparison holds up whoever computes here for some 20 ms. */
export const HEARD_SECONDS = 2.5;
/**
 * From this agreement on two excerpts are one recording. Chosen on the demo sounds and versions of them, see the guide, “Finding
 * mistakes”.
 */
export const SAME_RECORDING = 0.94;
/** Codecs add some padding in front. */
const MOST_SHIFT_SECONDS = 0.1;

/**
 * How alike two excerpts are as waveforms, whatever their gain and polarity: the largest normalised cross-correlation over shifts of up to
 * 0.1 s. Near 1 for one recording at other rates, codecs and gains; of two takes, the more alike, the more they are of steady tones of one
 * pitch. 0 where one is silent. 0 … 1.
 * @param a · @param b mono at {@link HEARD_RATE}, of about the same moment
 */
export function agreementOf(a: Float32Array, b: Float32Array): number {
  const energy = Math.sqrt(energyOf(a) * energyOf(b));
  if (energy === 0) return 0;
  const most = Math.round(MOST_SHIFT_SECONDS * HEARD_RATE);
  const size = 2 ** Math.ceil(Math.log2(Math.max(a.length, b.length) + most));
  // Both at once: two real signals are the real and the imaginary part of one complex signal.
  const [real, imaginary] = [new Float64Array(size), new Float64Array(size)];
  real.set(a);
  imaginary.set(b);
  transform(real, imaginary);
  const [x, y] = [new Float64Array(size), new Float64Array(size)];
  for (let k = 0; k < size; k++) {
    const mirror = (size - k) % size;
    const [r, i] = [real[k] as number, imaginary[k] as number];
    const [s, j] = [real[mirror] as number, imaginary[mirror] as number];
    const [ar, ai] = [(r + s) / 2, (i - j) / 2];
    const [br, bi] = [(i + j) / 2, (s - r) / 2];
    x[k] = ar * br + ai * bi;
    y[k] = ai * br - ar * bi;
  }
  transform(x, y, true);
  let largest = 0;
  for (let shift = -most; shift <= most; shift++)
    largest = Math.max(largest, Math.abs(x[(shift + size) % size] as number));
  return largest / size / energy;
}

function energyOf(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return sum;
}

/** Slices that outlines may be shifted by. */
const MOST_SLICES = 4;

/**
 * Correlation of how two recordings swell and fade, whatever their gain, at the best of some shifts; null where one of them is too
 * short, too steady, or so quiet that its outline is mostly rounding.
 * @param a · @param b lowest and highest sample of each slice in turn, full scale ±1
 */
export function outlineAgreement(a: Float32Array, b: Float32Array): number | null {
  const [x, y] = [heights(a), heights(b)];
  if (Math.min(x.length, y.length) < 4 * MOST_SLICES) return null;
  if (Math.min(spread(x), spread(y)) < LEAST_SPREAD) return null;
  let best = -1;
  for (let shift = -MOST_SLICES; shift <= MOST_SLICES; shift++) {
    const [own, other] = [x.subarray(Math.max(0, shift)), y.subarray(Math.max(0, -shift))];
    const n = Math.min(own.length, other.length);
    best = Math.max(best, correlation(own.subarray(0, n), other.subarray(0, n)));
  }
  return best;
}

/** Outlines are kept in steps of 1/127: a deviation of six of them is not drowned by rounding. */
const LEAST_SPREAD = 6 / 127;

function heights(peaks: Float32Array): Float64Array {
  return Float64Array.from(
    { length: peaks.length >> 1 },
    (_, i) => (peaks[2 * i + 1] ?? 0) - (peaks[2 * i] ?? 0),
  );
}

function spread(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

function correlation(a: Float64Array, b: Float64Array): number {
  const mean = (of: Float64Array): number => of.reduce((sum, value) => sum + value, 0) / of.length;
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (const [i, value] of a.entries()) {
    const [x, y] = [value - ma, (b[i] ?? 0) - mb];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 0;
}
