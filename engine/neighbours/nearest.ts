import type { ExactIndex, Neighbour } from '../../models/neighbours/exact.ts';
import type { WindowRef } from '../api/neighbours.ts';
import type { Library } from '../library/library.ts';
import type { LibraryVectors } from '../library/vectors.ts';

/** Neighbours are asked for in growing portions until enough tracks are among them. */
const GROWTH = 4;

/**
 * The nearest windows of distinct tracks: of every track only its nearest window, exact.
 * @param queries `[m, dim]`
 * @param excluded tracks that are left out.
 */
export async function nearestTracksByWindow(
  vectors: LibraryVectors,
  queries: Float32Array,
  k: number,
  excluded: ReadonlySet<string> = new Set(),
): Promise<{ row: number; distance: number }[][]> {
  const { windows } = vectors;
  if (windows.count === 0) return [];
  const index = await vectors.windowIndex('euclidean');
  const m = queries.length / windows.dim;
  const results: { row: number; distance: number }[][] = [];
  for (let q = 0; q < m; q++) {
    const query = queries.subarray(q * windows.dim, (q + 1) * windows.dim);
    results.push(await distinctTracks(index, vectors, query, k, excluded));
  }
  return results;
}

async function distinctTracks(
  index: ExactIndex,
  { windows }: LibraryVectors,
  query: Float32Array,
  k: number,
  excluded: ReadonlySet<string>,
): Promise<Neighbour[]> {
  for (let asked = Math.min(windows.count, k * GROWTH); ; asked = Math.min(windows.count, asked * GROWTH)) {
    const neighbours = (await index.query(query, asked))[0] ?? [];
    const seen = new Set<number>();
    const distinct = neighbours.filter(({ row }) => {
      const track = windows.trackOf[row] ?? -1;
      if (seen.has(track) || excluded.has(windows.trackIds[track] ?? '')) return false;
      seen.add(track);
      return true;
    });
    if (distinct.length >= k || asked === windows.count) return distinct.slice(0, k);
  }
}

/** Names the windows behind rows of the library's window embeddings. */
export function windowRefs(
  library: Library,
  { windows }: LibraryVectors,
  neighbours: readonly Neighbour[],
): WindowRef[] {
  return neighbours.map(({ row, distance }) => {
    const trackId = windows.trackIds[windows.trackOf[row] ?? -1] ?? '';
    return {
      ...library.tracks.nameOf(trackId),
      trackId,
      windowIndex: windows.windowIndex[row] ?? 0,
      startSeconds: windows.startSeconds[row] ?? 0,
      distance,
    };
  });
}
