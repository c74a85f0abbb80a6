import type { Pacer } from '../numerics/pacer.ts';
import { at } from '../numerics/vectors.ts';
import type { SharedData } from './kinds.ts';

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
  /** A track whose cover fits these recordings best, by the same measure. */
  better: number;
}

/** Fewer covers are nothing to compare with. */
const FEWEST_COVERS = 5;

/**
 * All covers of some tracks, with how well they fit their own recordings. The time goes by the square of the covers, the memory
 * does not.
 * @param where all tracks in a common space that none of these was learned for
 * @returns empty for fewer than five covers · @throws the signal's reason
 */
export async function misfits(
  { modalities }: SharedData,
  tracks: readonly number[],
  { audio, cover, dim }: { audio: Float32Array; cover: Float32Array; dim: number },
  pacer: Pacer,
): Promise<Misfit[]> {
  const [sounds, covers] = [modalities.audio?.units ?? [], modalities.cover?.units ?? []];
  const byCover = new Map<string, number[]>();
  for (const track of tracks) {
    const name = covers[track] ?? null;
    if (name === null || (sounds[track] ?? null) === null) continue;
    const there = byCover.get(name);
    if (there) there.push(track);
    else byCover.set(name, [track]);
  }
  const albums = [...byCover.values()];
  const count = albums.length;
  if (count < FEWEST_COVERS) return [];
  // The mean cosine of recordings with a cover is that of their mean.
  const heard = new Float64Array(count * dim);
  const seen = new Float64Array(count * dim);
  albums.forEach((recordings, i) => {
    for (let d = 0; d < dim; d++) {
      const sum = recordings.reduce((total, track) => total + at(audio, track * dim + d), 0);
      heard[i * dim + d] = sum / recordings.length;
      seen[i * dim + d] = at(cover, (recordings[0] ?? 0) * dim + d);
    }
  });
  const scoreOf = (recordings: number, picture: number): number => {
    let sum = 0;
    for (let d = 0; d < dim; d++) sum += at(heard, recordings * dim + d) * at(seen, picture * dim + d);
    return sum;
  };
  const [byRecordings, byPicture] = [new Spread(count), new Spread(count)];
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      if (i === j) continue;
      const score = scoreOf(i, j);
      byRecordings.add(i, score);
      byPicture.add(j, score);
    }
    if (pacer.due(2 * count * dim)) await pacer.pause();
  }
  const found: Misfit[] = [];
  for (const [i, recordings] of albums.entries()) {
    const normalised = (picture: number, score: number): number =>
      (byRecordings.deviations(i, score) + byPicture.deviations(picture, score)) / 2;
    const score = scoreOf(i, i);
    const z = normalised(i, score);
    // Some covers lie near to everything: which fits best is asked by deviations too.
    let [best, most] = [i, z];
    for (let j = 0; j < count; j++) {
      const other = j === i ? z : normalised(j, scoreOf(i, j));
      if (other > most) [best, most] = [j, other];
    }
    found.push({
      track: recordings[0] ?? 0,
      tracks: recordings.length,
      ...{ score, z },
      better: albums[best]?.[0] ?? 0,
    });
    if (pacer.due(2 * count * dim)) await pacer.pause();
  }
  return found;
}

/** Means and deviations of values of some numbers of things, without keeping the values. */
class Spread {
  readonly #counts: Int32Array;
  readonly #sums: Float64Array;
  readonly #squares: Float64Array;

  constructor(things: number) {
    this.#counts = new Int32Array(things);
    this.#sums = new Float64Array(things);
    this.#squares = new Float64Array(things);
  }

  add(thing: number, value: number): void {
    this.#counts[thing] = at(this.#counts, thing) + 1;
    this.#sums[thing] = at(this.#sums, thing) + value;
    this.#squares[thing] = at(this.#squares, thing) + value * value;
  }

  /** How many deviations a value lies above the mean. */
  deviations(thing: number, value: number): number {
    const count = Math.max(1, at(this.#counts, thing));
    const mean = at(this.#sums, thing) / count;
    const variance = at(this.#squares, thing) / count - mean ** 2;
    return (value - mean) / Math.sqrt(Math.max(variance, 1e-12));
  }
}
