import type { LabelledWindows } from '../embeddings/labelled-vectors.ts';
import { poolTracks } from '../embeddings/pooling.ts';

/** Means of tracks in units of the training tracks' mean and deviation: the same treatment for every space. */
export function standardOf(train: LabelledWindows): (set: LabelledWindows) => LabelledWindows {
  const { features, count, dim } = poolTracks(train);
  const mean = new Float64Array(dim);
  const variance = new Float64Array(dim);
  features.forEach((value, i) => (mean[i % dim] = (mean[i % dim] ?? 0) + value / count));
  features.forEach((value, i) => {
    variance[i % dim] = (variance[i % dim] ?? 0) + (value - (mean[i % dim] ?? 0)) ** 2 / count;
  });
  // What hardly varies in training must not tower over everything where audio is deformed.
  const scale = variance.map((v) => (v > 1e-12 ? 1 / Math.sqrt(v) : 0));
  return (set) => {
    const pooled = poolTracks(set);
    return {
      ...pooled,
      features: pooled.features.map((value, i) => (value - (mean[i % dim] ?? 0)) * (scale[i % dim] ?? 0)),
    };
  };
}
