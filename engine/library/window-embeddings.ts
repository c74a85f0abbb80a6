import type { SpaceInfo } from '../api/domain.ts';

/** Windows of many tracks in one space as one matrix, ordered by track path, then by window. */
export interface WindowEmbeddings {
  space: SpaceInfo;
  dim: number;
  count: number;
  /** float32[count, dim], row-major. */
  vectors: Float32Array;
  /** Distinct, in order. */
  trackIds: string[];
  /** What each track's file held when it was embedded. */
  contentHashes: string[];
  /** int32[count]: index into `trackIds`. */
  trackOf: Int32Array;
  /** int32[count]: which window of its track. */
  windowIndex: Int32Array;
  /** float32[count] */
  startSeconds: Float32Array;
  /** float32[count]: seconds of audio in the window; the last one of a track may be shorter. */
  durationSeconds: Float32Array;
}

/** One vector per track: the mean over its windows. `vectors` is float32[tracks, dim]. */
export function trackEmbeddings(windows: WindowEmbeddings): { vectors: Float32Array; trackIds: string[] } {
  const { dim, trackIds } = windows;
  const sums = new Float64Array(trackIds.length * dim);
  const counts = new Int32Array(trackIds.length);
  for (let row = 0; row < windows.count; row++) {
    const track = windows.trackOf[row] ?? 0;
    counts[track] = (counts[track] ?? 0) + 1;
    for (let d = 0; d < dim; d++) {
      sums[track * dim + d] = (sums[track * dim + d] ?? 0) + (windows.vectors[row * dim + d] ?? 0);
    }
  }
  const vectors = new Float32Array(sums.length);
  for (let i = 0; i < sums.length; i++) {
    vectors[i] = (sums[i] ?? 0) / Math.max(1, counts[Math.floor(i / dim)] ?? 1);
  }
  return { vectors, trackIds: [...trackIds] };
}
