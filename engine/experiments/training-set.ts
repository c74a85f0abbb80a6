import type { LabelledWindows } from '../../models/embeddings/labelled-vectors.ts';
import type { SplitName } from '../api/experiments.ts';
import { checkFitsMemory } from '../library/fits-memory.ts';
import type { SplitTrack } from '../library/experiments.ts';
import type { TrackWindows } from './track-windows.ts';

/** A track of an experiment with its windows. */
export interface Member {
  track: SplitTrack;
  vectors: TrackWindows;
}

/** The tracks of each part that have windows. */
export function partition(
  tracks: readonly SplitTrack[],
  byTrack: readonly TrackWindows[],
): Record<SplitName, Member[]> {
  const vectorsOf = new Map(byTrack.map((entry) => [entry.trackId, entry]));
  const parts: Record<SplitName, Member[]> = { train: [], validation: [], test: [] };
  for (const track of tracks) {
    const vectors = vectorsOf.get(track.id);
    if (vectors) parts[track.split].push({ track, vectors });
  }
  return parts;
}

/**
 * Windows of the tracks one after the other; a window carries the labels of its track.
 * @throws EngineError `training` where they would not fit into memory
 */
export function trainingSet(members: readonly Member[], dim: number, labelNames: string[]): LabelledWindows {
  const { windows: count } = countsOf(members);
  checkFitsMemory({ count, dim }, { kind: 'training', code: 'training', what: 'Training' });
  const features = new Float32Array(count * dim);
  const labels = new Uint8Array(count * labelNames.length);
  const of = new Int32Array(count);
  let row = 0;
  for (const [i, { track, vectors }] of members.entries()) {
    features.set(vectors.vectors, row * dim);
    of.fill(i, row, row + vectors.count);
    for (const end = row + vectors.count; row < end; row++)
      for (const label of track.labels) labels[row * labelNames.length + label] = 1;
  }
  const ids = members.map(({ track }) => track.id);
  return { features, count, dim, labels, labelNames, tracks: { of, ids, groups: ids } };
}

export function countsOf(members: readonly Member[]): { tracks: number; windows: number } {
  return { tracks: members.length, windows: members.reduce((sum, { vectors }) => sum + vectors.count, 0) };
}
