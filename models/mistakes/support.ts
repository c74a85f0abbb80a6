import type { LabelledWindows } from '../embeddings/labelled-vectors.ts';
import { ExactIndex } from '../neighbours/exact.ts';

/** Neighbours looked at. */
export const NEIGHBOURS = 10;

/** The nearest tracks of other groups, nearest first. */
export interface TrackNeighbour {
  track: number;
  /** Euclidean, between track embeddings. */
  distance: number;
}

/** Tracks asked beyond those wanted, to get past those of the own group. */
const SPARE = 40;

/**
 * The ten nearest labelled tracks of every labelled track; none of its own group, which is likely to share its label,
 * wrong or right.
 * @param pooled one row per track
 */
export async function nearestOfOthers(
  pooled: LabelledWindows,
  { signal }: { signal: AbortSignal },
): Promise<TrackNeighbour[][]> {
  const { groups } = pooled.tracks;
  const sizes = new Map<string, number>();
  for (const group of groups) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  const largest = [...sizes.values()].reduce((most, size) => Math.max(most, size), 1);
  const found = await nearestTracks(pooled, pooled.features, NEIGHBOURS + Math.min(largest, SPARE), signal);
  return found.map((near, track) =>
    near.filter((other) => groups[other.track] !== groups[track]).slice(0, NEIGHBOURS),
  );
}

/** @param vectors `[n, dim]` */
export async function nearestTracks(
  { features, dim, count }: LabelledWindows,
  vectors: Float32Array,
  most: number,
  signal: AbortSignal,
): Promise<TrackNeighbour[][]> {
  const index = await ExactIndex.build(features, dim);
  try {
    const found = await index.query(vectors, Math.min(count, most), { signal });
    return found.map((near) => near.map(({ row, distance }) => ({ track: row, distance })));
  } finally {
    await index.close();
  }
}

/** How much faster the vote of a farther neighbour fades: e⁻³ for the last, relative to its squared distance. */
const FADE = 3;

/**
 * Share of the votes of a track's neighbours for each label, `[C]`; a nearer neighbour counts for more.
 * @param labels `[tracks, C]`, 0 or 1
 */
export function neighbourVotes(
  near: readonly TrackNeighbour[],
  labels: Uint8Array,
  width: number,
): Float64Array {
  const votes = new Float64Array(width);
  const last = (near.at(-1)?.distance ?? 0) ** 2;
  let total = 0;
  for (const { track, distance } of near) {
    const weight = last > 0 ? Math.exp((-FADE * distance ** 2) / last) : 1;
    total += weight;
    for (let label = 0; label < width; label++)
      if (labels[track * width + label] === 1) votes[label] = (votes[label] ?? 0) + weight;
  }
  return total > 0 ? votes.map((vote) => vote / total) : votes;
}

/** Below these, a share says no more than "hardly ever" and its logarithm nothing at all. */
const LEAST_PROBABILITY = 1e-3;
const LEAST_VOTE = 1e-2;

/**
 * What network and neighbours together say for each class, `[C]`: the mean of probability and votes. What it
 * was chosen on stands in ADR 22.
 */
export function jointSupport(probabilities: ArrayLike<number>, votes: ArrayLike<number>): Float64Array {
  return Float64Array.from(votes, (vote, label) => ((probabilities[label] ?? 0) + vote) / 2);
}

/** What both say of one label of several: the mean of the log odds of probability and votes, as a probability. */
export function jointProbability(probability: number, vote: number): number {
  const odds = (p: number, least: number): number => (p + least) / (1 - p + least);
  const joint = Math.sqrt(odds(probability, LEAST_PROBABILITY) * odds(vote, LEAST_VOTE));
  return joint / (1 + joint);
}

/** How clearly one share stands above another: (a − b)/(a + b), −1 … 1. */
export function normalisedMargin(a: number, b: number): number {
  return a + b > 0 ? (a - b) / (a + b) : 0;
}
