import type { WindowEmbeddings } from '../library/window-embeddings.ts';

/** The windows of one track inside a set of window embeddings. */
export interface TrackWindows {
  trackId: string;
  /** First window, as a row of the set. */
  start: number;
  count: number;
  /** `[count, dim]`, a view. */
  vectors: Float32Array;
}

/** Cuts a set of window embeddings, which is ordered by track, into tracks. */
export function windowsByTrack(windows: WindowEmbeddings): TrackWindows[] {
  const result: TrackWindows[] = [];
  let start = 0;
  while (start < windows.count) {
    const track = windows.trackOf[start] ?? 0;
    let end = start + 1;
    while (end < windows.count && windows.trackOf[end] === track) end++;
    const vectors = windows.vectors.subarray(start * windows.dim, end * windows.dim);
    result.push({ trackId: windows.trackIds[track] ?? '', start, count: end - start, vectors });
    start = end;
  }
  return result;
}
