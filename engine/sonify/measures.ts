/** Level of silence, in place of −∞, which JSON does not know. */
const SILENCE_DBFS = -200;

/** Root-mean-square level in dB re full scale (a full-scale square wave is 0); at least −200. */
export function rmsDbfs(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const rms = Math.sqrt(sum / Math.max(1, samples.length));
  return Math.max(SILENCE_DBFS, 20 * Math.log10(rms));
}

/** What a sound that came out quieter is raised to, and the highest peak that may follow from it. */
const AUDIBLE_DBFS = -26;
const HIGHEST_PEAK = 0.89;
/** More than this would raise nothing but noise. */
const MOST_GAIN_DB = 40;

/**
 * Gain that makes a quiet sonification audible next to a real excerpt, in dB. Averaging over a class blurs the features,
 * and blurred log-mel features are quieter than any of the sounds they stand for.
 */
export function audibleGainDb(samples: Float32Array): number {
  const peak = samples.reduce((highest, sample) => Math.max(highest, Math.abs(sample)), 0);
  if (peak === 0) return 0;
  const headroom = 20 * Math.log10(HIGHEST_PEAK / peak);
  return Math.max(0, Math.min(AUDIBLE_DBFS - rmsDbfs(samples), headroom, MOST_GAIN_DB));
}

/** Cosine of the angle between two vectors, −1…1; 0 when one of them is zero. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let [ab, aa, bb] = [0, 0, 0];
  a.forEach((x, i) => {
    const y = b[i] ?? 0;
    ab += x * y;
    aa += x * x;
    bb += y * y;
  });
  const norm = Math.sqrt(aa * bb);
  return norm === 0 ? 0 : Math.max(-1, Math.min(1, ab / norm));
}
