import type { VectorRef, WindowRef } from '../api/neighbours.ts';
import type { Library } from '../library/library.ts';
import { windowRefs } from './nearest.ts';
import { isItself, resolveVector, type LocatedVector } from './vector-ref.ts';

export interface NeighbourRequest {
  target: VectorRef;
  level: 'track' | 'window';
  k: number;
  metric: 'euclidean' | 'cosine';
}

/**
 * The k nearest tracks (by track embedding) or windows, nearest first, exact. The target itself is left out: at track
 * level its track, at window level the window.
 */
export async function queryNeighbours(library: Library, request: NeighbourRequest): Promise<WindowRef[]> {
  const { target, level } = request;
  const found = await nearestTo(library, resolveVector(library, target), { ...request, k: request.k + 1 });
  return found.filter((ref) => !isItself(target, ref, level)).slice(0, request.k);
}

/**
 * Like {@link queryNeighbours}, for any vector: among the tracks that are embedded in its space.
 * @throws EngineError `other-space` when none is, or the vector is of no space
 */
export async function nearestTo(
  library: Library,
  { vector, space }: LocatedVector,
  { level, k, metric }: Omit<NeighbourRequest, 'target'>,
): Promise<WindowRef[]> {
  const vectors = library.embeddings.madeIn(space, 'This vector');
  if (vectors.windows.count === 0) return [];
  if (level === 'window') {
    const index = await vectors.windowIndex(metric);
    const [rows = []] = await index.query(vector, Math.min(k, vectors.windows.count));
    return windowRefs(library, vectors, rows);
  }
  const { trackIds } = vectors.tracks;
  const index = await vectors.trackIndex(metric);
  const [rows = []] = await index.query(vector, Math.min(k, trackIds.length));
  return rows.map(({ row, distance }) => {
    const trackId = trackIds[row] ?? '';
    return { ...library.tracks.nameOf(trackId), trackId, windowIndex: 0, startSeconds: 0, distance };
  });
}
