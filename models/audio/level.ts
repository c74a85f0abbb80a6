/** Level of silence, in place of −∞, which JSON does not know. */
const SILENCE_DBFS = -200;

/** Root-mean-square level in dB re full scale (a full-scale square wave is 0); at least −200. */
export function rmsDbfs(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const rms = Math.sqrt(sum / Math.max(1, samples.length));
  return Math.max(SILENCE_DBFS, 20 * Math.log10(rms));
}
