import type { Projection, TrackRow } from '../../../engine/api/domain.ts';
import { unlabelledLook } from '../ui/palette.ts';
import type { ClassLook } from '../ui/palette.ts';
import type { ColourBy } from './projection.svelte.ts';

export interface Group {
  name: string;
  look: ClassLook;
  /** Indices into the projection's points. */
  points: number[];
}

const verdicts: Record<string, ClassLook> = {
  correct: { variable: '--class-2', colour: 'var(--class-2)', shape: 'circle' },
  wrong: { variable: '--class-3', colour: 'var(--class-3)', shape: 'x' },
  'not judged': unlabelledLook,
};

function nameOf(track: TrackRow | undefined, by: ColourBy): string | null {
  if (!track) return null;
  if (by === 'label') return track.labels[0] ?? null;
  if (by === 'prediction') return track.prediction?.class ?? null;
  const correct = track.prediction?.correct ?? null;
  return correct === null ? 'not judged' : correct ? 'correct' : 'wrong';
}

/** Sorts the points of tracks and windows (not prototypes) into the groups a legend names, largest first. */
export function groupPoints(
  projection: Projection,
  tracks: ReadonlyMap<string, TrackRow>,
  by: ColourBy,
  lookOf: (name: string | null) => ClassLook,
): Group[] {
  const groups = new Map<string, Group>();
  projection.points.forEach((point, index) => {
    if (point.kind === 'prototype') return;
    const name = nameOf(tracks.get(point.id), by);
    const title = name ?? (by === 'label' ? 'no label' : 'no prediction');
    let group = groups.get(title);
    if (!group) {
      group = {
        name: title,
        look: by === 'error' ? (verdicts[title] ?? unlabelledLook) : lookOf(name),
        points: [],
      };
      groups.set(title, group);
    }
    group.points.push(index);
  });
  return [...groups.values()].sort((a, b) => b.points.length - a.points.length);
}
