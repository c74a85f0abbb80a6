import type { SpaceInfo } from '../api/spaces.ts';

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
