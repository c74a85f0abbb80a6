import { rowsInMemory } from '../../models/neighbours/rows.ts';
import type { SpaceInfo } from '../api/spaces.ts';
import type { Library } from '../library/library.ts';
import type { WindowEmbeddings } from '../library/window-embeddings.ts';
import { windowsByTrack } from './track-windows.ts';

/** A track in several views: the windows of the first view it has, and beside each the window of every other view. */
export interface ViewedTrack {
  trackId: string;
  count: number;
  /** `[count, D_v]` of each view; null where the track lacks it. */
  vectors: (Float32Array | null)[];
  /** Of the view whose windows they are. */
  windowIndex: Int32Array;
  startSeconds: Float32Array;
  durationSeconds: Float32Array;
}

/** The windows of a track in one space, and where they lie. */
export interface Windows {
  count: number;
  vectors: Float32Array;
  windowIndex: Int32Array;
  startSeconds: Float32Array;
  durationSeconds: Float32Array;
}

/**
 * The tracks of a library, or some of them, in several spaces, in the order of their paths; those in none are left out. Encoders
 * differ in the length of their windows: to each window of the first view belongs that of another whose middle is nearest.
 */
export function viewedTracks(
  library: Library,
  spaces: readonly SpaceInfo[],
  trackIds?: readonly string[],
): ViewedTrack[] {
  const views = spaces.map((space) => byTrack(library.embeddings.load(space, trackIds)));
  // Every view is in the order of paths: a track that the first lacks goes before the next one of its own view.
  const order = new Map<string, number>();
  for (const own of views) for (const id of own.keys()) if (!order.has(id)) order.set(id, order.size);
  return [...order.keys()].map((trackId) =>
    viewed(
      trackId,
      views.map((own) => own.get(trackId) ?? null),
    ),
  );
}

function byTrack(all: WindowEmbeddings): Map<string, Windows> {
  return new Map(
    windowsByTrack(all, rowsInMemory(all.vectors, all.dim)).map(({ trackId, start, count, vectors }) => [
      trackId,
      {
        ...{ count, vectors },
        windowIndex: all.windowIndex.subarray(start, start + count),
        startSeconds: all.startSeconds.subarray(start, start + count),
        durationSeconds: all.durationSeconds.subarray(start, start + count),
      },
    ]),
  );
}

/** One track, of what each view has of it: at least one has it. */
export function viewed(trackId: string, own: readonly (Windows | null)[]): ViewedTrack {
  const first = own.find((windows) => windows !== null);
  if (!first) throw new RangeError('a track without windows');
  const { count, windowIndex, startSeconds, durationSeconds } = first;
  const middles = middlesOf(first);
  const vectors = own.map((windows) => {
    if (!windows || windows === first) return windows?.vectors ?? null;
    const others = middlesOf(windows);
    const dim = windows.vectors.length / windows.count;
    const rows = new Float32Array(count * dim);
    middles.forEach((middle, row) => {
      const nearest = nearestTo(middle, others);
      rows.set(windows.vectors.subarray(nearest * dim, (nearest + 1) * dim), row * dim);
    });
    return rows;
  });
  return { trackId, count, vectors, windowIndex, startSeconds, durationSeconds };
}

function middlesOf({ startSeconds, durationSeconds }: Windows): number[] {
  return Array.from(startSeconds, (start, row) => start + (durationSeconds[row] ?? 0) / 2);
}

function nearestTo(value: number, values: readonly number[]): number {
  let best = 0;
  values.forEach((other, i) => {
    if (Math.abs(other - value) < Math.abs((values[best] ?? 0) - value)) best = i;
  });
  return best;
}
