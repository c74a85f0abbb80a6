import type { TrackNeighbour } from './support.ts';

/** Modified z-score from which a value counts as an outlier (Iglewicz and Hoaglin 1993). */
export const OUTLIER_SCORE = 3.5;
/** Turns the median of absolute deviations into a standard deviation of normal values. */
const MAD_TO_DEVIATION = 1.4826;

/**
 * How far each track lies from its ten nearest, as a modified z-score of the mean distance: 0 at the median,
 * {@link OUTLIER_SCORE} and more for a track that is like nothing else. All 0 where more than half of the distances are equal.
 */
export function outlierScores(neighbours: readonly (readonly TrackNeighbour[])[]): Float64Array {
  const distances = neighbours.map(
    (near) => near.reduce((sum, { distance }) => sum + distance, 0) / Math.max(1, near.length),
  );
  const middle = median(distances);
  const spread = MAD_TO_DEVIATION * median(distances.map((distance) => Math.abs(distance - middle)));
  return Float64Array.from(distances, (distance) => (spread > 0 ? (distance - middle) / spread : 0));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? upper) + upper) / 2;
}
