import type { SimilarSound } from '../../../engine/api/neighbours.ts';

export interface LabelShare {
  name: string;
  tracks: number;
  /** Of the tracks looked at, 0…1; of several labels the shares add up to more than 1. */
  share: number;
}

/** What share of the first tracks bears which label, most frequent first; a track of several windows counts once. */
export function labelShares(
  sounds: readonly SimilarSound[],
  first: number,
): { shares: LabelShare[]; tracks: number; unlabelled: number } {
  const tracks = [...new Map(sounds.map(({ track }) => [track.id, track])).values()].slice(0, first);
  const counts = new Map<string, number>();
  for (const { labels } of tracks)
    for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const shares = [...counts]
    .map(([name, n]) => ({ name, tracks: n, share: n / tracks.length }))
    .sort((a, b) => b.tracks - a.tracks);
  return {
    shares,
    tracks: tracks.length,
    unlabelled: tracks.filter(({ labels }) => labels.length === 0).length,
  };
}
