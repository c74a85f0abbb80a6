import { rmsDbfs } from '../../models/audio/level.ts';

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

/** The same for a sound that may also be too loud: it is lowered as far as its highest peak asks. */
export function safeGainDb(samples: Float32Array): number {
  const peak = samples.reduce((highest, sample) => Math.max(highest, Math.abs(sample)), 0);
  return peak > HIGHEST_PEAK ? 20 * Math.log10(HIGHEST_PEAK / peak) : audibleGainDb(samples);
}
