import type { TrainRequest } from '../../../engine/api/experiments.ts';
import type { TrackGroups } from '../../../engine/api/tracks.ts';

/**
 * The tag whose groups a split should not tear apart: artists, else albums, where most tracks bear it and some share a value.
 * Tracks of one artist on both sides of a split make a test that asks for what was learned by heart (the “artist filter”;
 * Flexer, A closer look on artist filters for musical genre classification, ISMIR 2007). Null where tracks are grouped already.
 */
export function groupingFor(
  groups: TrackGroups,
  groupBy: TrainRequest['groupBy'],
): { tag: 'artist' | 'album'; tracks: number; groups: number } | null {
  if (groupBy !== 'track') return null;
  for (const tag of ['artist', 'album'] as const) {
    const { tracks, groups: values } = groups[tag];
    // One value alone cannot be split at all.
    if (tracks > groups.tracks / 2 && values > 1 && values < tracks) return { tag, tracks, groups: values };
  }
  return null;
}
