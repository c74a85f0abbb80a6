import { at } from '../numerics/vectors.ts';
import type { SharedData } from './kinds.ts';
import { cosine } from './projection.ts';

/** How well a cover fits the recordings it stands for. */
export interface Misfit {
  /** One of the tracks that have the cover. */
  track: number;
  /** Tracks that have it, among those compared. */
  tracks: number;
  /** Mean cosine of cover and recordings, -1…1. */
  score: number;
  /**
   * The same in deviations, as such scores usually are: the mean of how it stands among the scores of the same recordings with
   * other covers, and of other recordings with the same cover (symmetric score normalisation). Low: it looks wrong.
   */
  z: number;
  /** A track whose cover fits these recordings best. */
  better: number;
}

/** Fewer covers are nothing to compare with. */
const FEWEST_COVERS = 5;

/**
 * All covers of some tracks, with how well they fit their own recordings.
 * @param where all tracks in a common space that none of these was learned for
 * @returns empty for fewer than five covers
 */
export function misfits(
  { modalities }: SharedData,
  tracks: readonly number[],
  { audio, cover, dim }: { audio: Float32Array; cover: Float32Array; dim: number },
): Misfit[] {
  const [sounds, covers] = [modalities.audio?.units ?? [], modalities.cover?.units ?? []];
  const byCover = new Map<string, number[]>();
  for (const track of tracks) {
    const name = covers[track] ?? null;
    if (name === null || (sounds[track] ?? null) === null) continue;
    byCover.set(name, [...(byCover.get(name) ?? []), track]);
  }
  const albums = [...byCover.values()];
  const count = albums.length;
  if (count < FEWEST_COVERS) return [];
  // scores[i * count + j]: the recordings of album i with the cover of album j.
  const scores = new Float64Array(count * count);
  albums.forEach((recordings, i) => {
    albums.forEach(([other = 0], j) => {
      const sum = recordings.reduce((total, track) => total + cosine(audio, track, cover, other, dim), 0);
      scores[i * count + j] = sum / recordings.length;
    });
  });
  const others = (own: number, of: (other: number) => number): number[] =>
    albums.flatMap((_, other) => (other === own ? [] : [of(other)]));
  return albums.map((recordings, i): Misfit => {
    const score = at(scores, i * count + i);
    const along = [others(i, (j) => at(scores, i * count + j)), others(i, (j) => at(scores, j * count + i))];
    let best = i;
    for (let j = 0; j < count; j++) if (at(scores, i * count + j) > at(scores, i * count + best)) best = j;
    return {
      track: recordings[0] ?? 0,
      tracks: recordings.length,
      score,
      z: along.reduce((sum, values) => sum + deviations(score, values), 0) / along.length,
      better: albums[best]?.[0] ?? 0,
    };
  });
}

/** How many deviations a value lies above the mean of others. */
function deviations(value: number, others: readonly number[]): number {
  const mean = others.reduce((sum, other) => sum + other, 0) / others.length;
  const variance = others.reduce((sum, other) => sum + (other - mean) ** 2, 0) / others.length;
  return (value - mean) / Math.sqrt(Math.max(variance, 1e-12));
}
