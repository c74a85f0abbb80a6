import { createHash } from 'node:crypto';
import type { Metric } from '../../models/neighbours/brute.ts';
import { EngineError } from '../api/errors.ts';

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
  count(of: StorePart, signal: AbortSignal): Promise<number>;
  /** Nearest first. @throws EngineError */
  search(question: StoreQuestion, signal: AbortSignal): Promise<FoundWindow[]>;
}

/** What is counted: windows of one space, of all libraries or of one; with `run`, those that this filling wrote. */
export interface StorePart extends Pick<StoreQuestion, 'spaceKey' | 'libraryId'> {
  run?: string;
}

/** How a store keeps vectors. */
export interface StoreShape {
  dim: number;
  metric: Metric;
}

/** One that can be written. */
export interface VectorStore extends VectorSearch {
  /**
   * Makes it ready for vectors, where it is not yet.
   * @throws EngineError `bad-input` when it has vectors of another size or compares them in another way
   */
  prepare(shape: StoreShape, signal: AbortSignal): Promise<void>;
  /** Rows that one call of {@link put} takes. */
  rowsAtOnce(dim: number): number;
  /**
   * Writes rows, in the place of those of the same window.
   * @param vectors `[rows.length, dim]`
   * @param run names this filling, for {@link finish}
   */
  put(rows: readonly StoredWindow[], vectors: Float32Array, run: string, signal: AbortSignal): Promise<void>;
  /**
   * Takes away what a library has in a space from other fillings than `run` (windows that it has no more), and makes the
   * index where there is none.
   */
  finish(of: { spaceKey: string; libraryId: string }, run: string, signal: AbortSignal): Promise<void>;
  /** Lets the server go. */
  close(): Promise<void>;
}

/**
 * @param place what has these vectors, as people call it: “The table music”
 * @throws EngineError `bad-input` when it has vectors of another size or compares them in another way
 */
export function requireShape(place: string, known: StoreShape, wanted: StoreShape): void {
  if (known.dim !== wanted.dim)
    throw new EngineError(
      'bad-input',
      `${place} has vectors of ${known.dim} numbers, and this library of ${wanted.dim}.`,
      'Name another one: of each pack its own.',
    );
  if (known.metric !== wanted.metric)
    throw new EngineError(
      'bad-input',
      `${place} compares by ${known.metric} distance, not by ${wanted.metric}.`,
      `Say --metric ${known.metric}, or name another one.`,
    );
}

/** The same window has the same name: filling anew takes its place. A UUID of version 8 (RFC 9562 §5.8). */
export function storedWindowId({ libraryId, spaceKey, trackId, windowIndex }: StoredWindow): string {
  const bytes = createHash('sha256')
    .update(`${libraryId} ${spaceKey} ${trackId} ${windowIndex}`)
    .digest()
    .subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
