import type { Random } from '../numerics/random.ts';

/** Playlists, or whatever else puts tracks together: numbers of tracks, each once in a list. */
export type TrackLists = readonly (readonly number[])[];

/** The lists over the tracks that `keep` accepts; what is left without a pair is left out. */
export function restrict(lists: TrackLists, keep: (track: number) => boolean): number[][] {
  return lists.map((list) => list.filter(keep)).filter((list) => list.length >= 2);
}

/** Tracks by what they share, such as an artist; what has none, or is alone with it, is in no list. */
export function listsByName(names: readonly (string | null)[]): number[][] {
  const lists = new Map<string, number[]>();
  names.forEach((name, track) => {
    if (name === null) return;
    const list = lists.get(name);
    if (list) list.push(track);
    else lists.set(name, [track]);
  });
  return [...lists.values()].filter((list) => list.length >= 2);
}

/**
 * The control: lists of the same lengths in which the same tracks occur as often, but by chance. A track that a list would
 * get twice is in it once.
 */
export function shuffled(lists: TrackLists, random: Random): number[][] {
  const all = random.shuffle(lists.flat());
  let from = 0;
  return lists.map(({ length }) => {
    const own = [...new Set(all.slice(from, from + length))];
    from += length;
    return own;
  });
}

/** The lists that each track is in. */
export function listsOfTracks(lists: TrackLists): Map<number, number[]> {
  const of = new Map<number, number[]>();
  lists.forEach((list, number) => {
    for (const track of list) {
      const known = of.get(track);
      if (known) known.push(number);
      else of.set(track, [number]);
    }
  });
  return of;
}
