import type { Projection } from '../../../engine/api/projection.ts';
import type { TrackRow } from '../../../engine/api/tracks.ts';
import { unlabelledLook, type ClassLook } from '../ui/palette.ts';
import type { ColourBy } from './projection.svelte.ts';

export interface Group {
  name: string;
  look: ClassLook;
  /** Indices into the projection's points. */
  points: number[];
}

/** Looks of the labels beyond the first that a point has, as the colouring shows them. */
export function furtherLooks(
  track: TrackRow | undefined,
  by: ColourBy,
  lookOf: (name: string | null) => ClassLook,
): ClassLook[] {
  if (!track || by === 'error') return [];
  const [, ...further] = namesOf(track, by);
  return further.map(lookOf);
}

/** Labels, or predicted labels, the first one being that of its group. */
function namesOf(track: TrackRow, by: 'label' | 'prediction'): string[] {
  if (by === 'label') return track.labels;
  const { prediction } = track;
  return prediction?.labels?.map(({ label }) => label) ?? (prediction ? [prediction.class] : []);
}

const verdicts: Record<string, ClassLook> = {
  correct: { variable: '--class-2', colour: 'var(--class-2)', shape: 'circle' },
  wrong: { variable: '--class-3', colour: 'var(--class-3)', shape: 'x' },
  'not judged': unlabelledLook,
};

function nameOf(track: TrackRow | undefined, by: ColourBy): string | null {
  if (!track) return null;
  if (by !== 'error') return namesOf(track, by)[0] ?? null;
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
