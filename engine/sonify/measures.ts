/** Level of silence, in place of −∞, which JSON does not know. */
const SILENCE_DBFS = -200;

/** Root-mean-square level in dB re full scale (a full-scale square wave is 0); at least −200. */
export function rmsDbfs(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const rms = Math.sqrt(sum / Math.max(1, samples.length));
  return Math.max(SILENCE_DBFS, 20 * Math.log10(rms));
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
