import { NumericError } from '../numerics/errors.ts';
import type { Random } from '../numerics/random.ts';
import { at } from '../numerics/vectors.ts';
import { nearestBySvd, positivePmi, type Partners } from './cooccurrence.ts';
import { listsByName, type TrackLists } from './lists.ts';

/**
 * Which tracks are held to be alike (Alonso-Jiménez et al. 2023, arXiv 2304.12257): `random` any two of a playlist, `pmi`
 * two that meet in several playlists more often than by chance, `artist` two of one artist, `svd` neighbours in what was
 * learned from the playlists alone.
 */
export const pairModes = ['random', 'pmi', 'svd', 'artist'] as const;
export type PairMode = (typeof pairModes)[number];

/** What pairs are drawn from. */
export interface PairData {
  lists: TrackLists;
  /** Artist of each track, null where it is not known. */
  artists: readonly (string | null)[];
}

export type Pair = readonly [number, number];

/** Where pairs come from. */
export interface PairSource {
  /** Pairs of one epoch: every track is in one at most. */
  epoch(random: Random): Pair[];
  /** Tracks of one list are not held to be different. */
  alike: TrackLists;
}

const sources: Record<
  PairMode,
  (data: PairData, random: Random, signal?: AbortSignal) => PairSource | Promise<PairSource>
> = {
  random: ({ lists }) => ({ epoch: (random) => consecutive(lists, random), alike: lists }),
  pmi: async ({ lists }, random, signal) => {
    const partners = await positivePmi(lists, 2, random, signal);
    return { epoch: (own) => drawn(partners, own), alike: lists };
  },
  svd: async ({ lists }, random, signal) => {
    const met = await positivePmi(lists, 1, random, signal);
    const partners = await nearestBySvd(met, random, signal);
    return { epoch: (own) => drawn(partners, own), alike: lists };
  },
  artist: ({ lists, artists }) => {
    const byArtist = listsByName(artists);
    return { epoch: (random) => consecutive(byArtist, random), alike: [...lists, ...byArtist] };
  },
};

const NONE: Record<PairMode, string> = {
  random: 'Add playlists that share no more than a few tracks with the others.',
  pmi: 'No two tracks meet in two playlists. Choose pairs from any playlist instead.',
  svd: 'Choose pairs from any playlist instead.',
  artist: 'No two tracks name the same artist. Choose pairs from playlists instead.',
};

/** @throws NumericError `empty` when there are no pairs of that kind; the signal's reason */
export async function pairSource(
  mode: PairMode,
  data: PairData,
  random: Random,
  signal?: AbortSignal,
): Promise<PairSource> {
  const source = await sources[mode](data, random, signal);
  if (source.epoch(random).length < 2)
    throw new NumericError('empty', 'There are no pairs of tracks to learn from.', NONE[mode]);
  return source;
}

/** As gmeehan96/PlaylistContrastive draws them: lists in random order, the unused tracks of each cut into pairs. */
function consecutive(lists: TrackLists, random: Random): Pair[] {
  const used = new Set<number>();
  return random.shuffle(lists).flatMap((list) => {
    const free = random.shuffle(list.filter((track) => !used.has(track)));
    const pairs: Pair[] = [];
    for (let i = 0; i + 1 < free.length; i += 2) {
      const pair = [free[i] ?? 0, free[i + 1] ?? 0] as const;
      for (const track of pair) used.add(track);
      pairs.push(pair);
    }
    return pairs;
  });
}

/** Tracks in random order, each with an unused partner drawn by weight. */
function drawn(partners: Partners, random: Random): Pair[] {
  const used = new Set<number>();
  const order = random.shuffle([...partners.keys()].sort((a, b) => a - b));
  return order.flatMap((track): Pair[] => {
    if (used.has(track)) return [];
    const { tracks, weights } = partners.get(track) ?? { tracks: [], weights: [] };
    const open = [...tracks.keys()].filter((i) => !used.has(tracks[i] ?? track));
    const whole = open.reduce((sum, i) => sum + at(weights, i), 0);
    if (whole <= 0) return [];
    let left = random.uniform() * whole;
    const chosen = open.find((i) => (left -= at(weights, i)) < 0) ?? open.at(-1) ?? 0;
    const partner = tracks[chosen] ?? track;
    used.add(track).add(partner);
    return [[track, partner]];
  });
}
