import { posix } from 'node:path';

/** What stays together besides copies of one recording. */
export type GroupBy = 'track' | 'artist' | 'album' | 'folder';

/** What decides which tracks must stay together in a split. */
export interface GroupFacts {
  id: string;
  /** Relative, with forward slashes. */
  path: string;
  artist: string | null;
  album: string | null;
  contentHash: string | null;
  /** Name of the copies it is known to be one of, other bytes of the same recording among them. */
  copies?: string | undefined;
}

/**
 * The group of every track: tracks of one artist, album or folder where asked for and known, and always copies of the
 * same recording, so that no copy of a training track is ever used for testing.
 * @returns group name per track id; the name is the path of the group's first track, which keeps a split independent
 * of ids.
 */
export function splitGroups(tracks: readonly GroupFacts[], groupBy: GroupBy): Map<string, string> {
  const sorted = [...tracks].sort((a, b) => (a.path < b.path ? -1 : 1));
  const parent = sorted.map((_, index) => index);
  const root = (index: number): number => {
    let at = index;
    for (let up = parent[at] ?? at; up !== at; up = parent[at] ?? at) at = up;
    return at;
  };
  const firstWith = new Map<string, number>();
  sorted.forEach((track, index) => {
    for (const key of keysOf(track, groupBy)) {
      const first = firstWith.get(key);
      if (first === undefined) firstWith.set(key, index);
      else {
        const [a, b] = [root(first), root(index)];
        // The smaller index wins, so that a group is named by its first track.
        parent[Math.max(a, b)] = Math.min(a, b);
      }
    }
  });
  return new Map(sorted.map((track, index) => [track.id, sorted[root(index)]?.path ?? track.path]));
}

function keysOf(track: GroupFacts, groupBy: GroupBy): string[] {
  const keys = track.contentHash === null ? [] : [`content:${track.contentHash}`];
  if (track.copies !== undefined) keys.push(`copies:${track.copies}`);
  if (groupBy === 'folder') keys.push(`folder:${posix.dirname(track.path)}`);
  if (groupBy === 'artist' && track.artist) keys.push(`artist:${track.artist.trim().toLowerCase()}`);
  if (groupBy === 'album' && track.album)
    keys.push(`album:${(track.artist ?? '').trim().toLowerCase()}\n${track.album.trim().toLowerCase()}`);
  return keys;
}
