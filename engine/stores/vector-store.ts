import type { Metric } from '../../models/neighbours/brute.ts';

/** A window of a track, as a store keeps it. */
export interface StoredWindow {
  libraryId: string;
  spaceKey: string;
  trackId: string;
  title: string;
  /** Within the library's folder. */
  path: string;
  windowIndex: number;
  startSeconds: number;
}

export interface FoundWindow extends Pick<
  StoredWindow,
  'libraryId' | 'trackId' | 'title' | 'path' | 'windowIndex' | 'startSeconds'
> {
  /** Euclidean distance, or 1 − cosine. */
  distance: number;
}

/** What is looked for: windows of one space, of all libraries or of one. */
export interface StoreQuestion {
  spaceKey: string;
  libraryId: string | null;
  /** `[D]` */
  vector: Float32Array;
  k: number;
  /** Every vector is compared, where a store would use an index that may miss some. */
  exact: boolean;
}

/** What is searched: a library by itself, or a store that may hold several. */
export interface VectorSearch {
  /** How it compares vectors. @throws EngineError */
  metric(signal: AbortSignal): Promise<Metric>;
  /** Windows that it has of a space, of all libraries or of one. @throws EngineError */
  count(of: Pick<StoreQuestion, 'spaceKey' | 'libraryId'>, signal: AbortSignal): Promise<number>;
  /** Nearest first. @throws EngineError */
  search(question: StoreQuestion, signal: AbortSignal): Promise<FoundWindow[]>;
}

/** One that can be written. */
export interface VectorStore extends VectorSearch {
  /**
   * Makes it ready for vectors, where it is not yet.
   * @throws EngineError `bad-input` when it has vectors of another size or compares them in another way
   */
  prepare(vectors: { dim: number; metric: Metric }, signal: AbortSignal): Promise<void>;
  /** Rows that one call of {@link put} takes. */
  rowsAtOnce(dim: number): number;
  /**
   * Writes rows, in the place of those of the same window.
   * @param vectors `[rows.length, dim]`
   * @param run names this filling, for {@link dropOthers}
   */
  put(rows: readonly StoredWindow[], vectors: Float32Array, run: string, signal: AbortSignal): Promise<void>;
  /** Takes away what a library has in a space from other fillings than `run`: windows that it has no more. */
  dropOthers(of: { spaceKey: string; libraryId: string }, run: string, signal: AbortSignal): Promise<void>;
}
