import type { Neighbour } from '../../models/neighbours/exact.ts';
import type { WindowRef } from '../api/neighbours.ts';
import type { Library } from '../library/library.ts';
import type { LibraryVectors } from '../library/vectors.ts';

/** Neighbours are asked for in growing portions until enough tracks are among them. */
const GROWTH = 4;

/**
 * The nearest windows of distinct tracks: of every track only its nearest window, exact. All queries are asked at once, since a
 * search for many costs a fraction of as many searches.
 * @param queries `[m, dim]`
 * @throws the signal's reason
 */
export async function nearestTracksByWindow(
  vectors: LibraryVectors,
  queries: Float32Array,
  k: number,
  signal?: AbortSignal,
): Promise<Neighbour[][]> {
  const { windows } = vectors;
  if (windows.count === 0) return [];
  const { dim, count } = windows;
  const index = await vectors.windowIndex('euclidean', signal);
  const results: Neighbour[][] = [];
  let open = Array.from({ length: queries.length / dim }, (_, q) => q);
  let asked = Math.min(count, k * GROWTH);
  while (open.length > 0) {
    const own = new Float32Array(open.length * dim);
    for (const [i, q] of open.entries()) own.set(queries.subarray(q * dim, (q + 1) * dim), i * dim);
    const found = await index.query(own, asked, signal ? { signal } : {});
    const everything = asked === count;
    open = open.filter((q, i) => {
      const distinct = distinctTracks(found[i] ?? [], vectors);
      if (distinct.length < k && !everything) return true;
      results[q] = distinct.slice(0, k);
      return false;
    });
    asked = Math.min(count, asked * GROWTH);
  }
  return results;
}

/** The first neighbour of every track, in their order. */
function distinctTracks(neighbours: readonly Neighbour[], { windows }: LibraryVectors): Neighbour[] {
  const seen = new Set<number>();
  return neighbours.filter(({ row }) => {
    const track = windows.trackOf[row] ?? -1;
    if (seen.has(track)) return false;
    seen.add(track);
    return true;
  });
}

/**
 * Names the windows behind rows of the library's window embeddings.
 * @param names of tracks that were looked up before, and will be again
 */
export function windowRefs(
  library: Library,
  { windows }: LibraryVectors,
  neighbours: readonly Neighbour[],
  names = new Map<string, { title: string; path: string }>(),
): WindowRef[] {
  return neighbours.map(({ row, distance }) => {
    const trackId = windows.trackIds[windows.trackOf[row] ?? -1] ?? '';
    const name = names.get(trackId) ?? library.tracks.nameOf(trackId);
    names.set(trackId, name);
    return {
      ...name,
      trackId,
      windowIndex: windows.windowIndex[row] ?? 0,
      startSeconds: windows.startSeconds[row] ?? 0,
      distance,
    };
  });
}
