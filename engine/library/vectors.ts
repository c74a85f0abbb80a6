import { meanByTrack } from '../../models/embeddings/pooling.ts';
import { ExactIndex } from '../../models/neighbours/exact.ts';
import { rowsInMemory, type Rows } from '../../models/neighbours/rows.ts';
import { standardisationOf, type Standardisation } from '../../models/neighbours/standardised.ts';
import { WorkedOnce } from './worked-once.ts';
import { TrackSimilarities } from './track-similarities.ts';
import type { WindowEmbeddings } from './window-embeddings.ts';
import { windowsInMemory, type WindowRows } from './window-rows.ts';

export type Metric = 'euclidean' | 'cosine';

/** One vector per track: `vectors` is float32[tracks, dim]. */
export interface TrackEmbeddings {
  vectors: Float32Array;
  trackIds: readonly string[];
}

/** What the embeddings say of the prototypes of one revision of an experiment. */
export interface PrototypeFacts {
  /** Training windows to which each prototype is the most similar one, and how many of these carry its class. */
  support: Int32Array;
  matching: Int32Array;
  /** Of every window the prototype it is most similar to; {@link NOT_TRAINING} for windows that did not take part. */
  nearestOf: Int32Array;
  /** Of each prototype, the nearest windows of distinct tracks, as rows. */
  nearest: { row: number; distance: number }[][];
  /** Of each prototype the nearest other one, and the distance in the embedding space; null where there is no other. */
  twins: ({ index: number; distance: number } | null)[];
}

/** In place of a prototype. */
export const NOT_TRAINING = -1;

/** What a network says of every track: logits `[tracks, C]`, and the class of the largest one. */
export interface TrackLogits {
  logits: Float32Array;
  tops: Uint16Array;
}

/** Networks whose logits are kept: the present one, and one beside it. */
const MOST_LOGITS = 2;

/** Revisions whose facts are kept: some steps of undo in two experiments. */
const MOST_FACTS = 16;

/**
 * Embeddings of a library in one space, with exact indices that are built when first asked for. The vectors of the windows
 * are in memory or, of a large library, in a file that is searched without reading them into memory.
 */
export class LibraryVectors {
  /** Of a large library its `vectors` are read into memory when somebody takes them: whoever needs a few asks for rows. */
  readonly windows: WindowEmbeddings;
  readonly #windowRows: WindowRows;
  readonly #meanOfTracks: () => Float32Array;
  readonly similarities = new TrackSimilarities();
  readonly #facts = new WorkedOnce<PrototypeFacts>(MOST_FACTS);
  readonly #logits = new WorkedOnce<TrackLogits>(MOST_LOGITS);
  readonly #indices = new Map<string, { rows: Rows; index: Promise<ExactIndex> }>();
  readonly #standardisations = new Map<string, Standardisation>();
  #tracks: TrackEmbeddings | null = null;
  #rowOfTrack: ReadonlyMap<string, number> | null = null;
  #trackRows: Rows | null = null;

  /**
   * @param other `rows`: where the vectors lie if not in memory · `tracks`: the means of the tracks if they are known, or found without
   * holding all windows
   */
  constructor(windows: WindowEmbeddings, other: { rows?: WindowRows; tracks?: () => Float32Array } = {}) {
    this.windows = windows;
    this.#windowRows = other.rows ?? windowsInMemory(windows);
    this.#meanOfTracks =
      other.tracks ??
      (() => meanByTrack(windows.vectors, windows.dim, windows.trackOf, windows.trackIds.length));
  }

  /** Track embeddings: means over windows. */
  get tracks(): TrackEmbeddings {
    this.#tracks ??= { vectors: this.#meanOfTracks(), trackIds: this.windows.trackIds };
    return this.#tracks;
  }

  /** Whether the windows are searched from a file. */
  get onDisk(): boolean {
    return this.#windowRows.onDisk;
  }

  /** The vectors of the tracks, or windows, wherever they lie. @throws the signal's reason; EngineError */
  rows(level: 'track' | 'window', signal?: AbortSignal): Promise<Rows> {
    if (level === 'window') return this.#windowRows.get(signal);
    return Promise.resolve(rowsInMemory(this.tracks.vectors, this.windows.dim));
  }

  /** Where a track stands in {@link tracks}. */
  get rowOfTrack(): ReadonlyMap<string, number> {
    return (this.#rowOfTrack ??= new Map(this.windows.trackIds.map((id, row) => [id, row])));
  }

  /** What brings every dimension of the tracks, or windows, to mean 0 and deviation 1. @throws the signal's reason */
  async standardisation(level: 'track' | 'window', signal: AbortSignal): Promise<Standardisation> {
    const known = this.#standardisations.get(level);
    if (known) return known;
    const made = await standardisationOf(await this.rows(level, signal), this.windows.dim, signal);
    this.#standardisations.set(level, made);
    return made;
  }

  /** What is known of the prototypes of a revision, worked out where it is asked for first. */
  prototypeFacts(revision: string, make: () => Promise<PrototypeFacts>): Promise<PrototypeFacts> {
    return this.#facts.of(revision, make);
  }

  /** What a network says of every track, worked out where it is asked for first. @param network equal for equal ones */
  trackLogits(network: string, make: () => Promise<TrackLogits>): Promise<TrackLogits> {
    return this.#logits.of(network, make);
  }

  /** @throws the signal's reason while a file of vectors is made; EngineError where they cannot be had */
  async windowIndex(metric: Metric, signal?: AbortSignal): Promise<ExactIndex> {
    const rows = await this.#windowRows.get(signal);
    // Each keeps half as much as the vectors take: of those on a disk only one is held.
    if (this.onDisk)
      for (const key of this.#indices.keys())
        if (key.startsWith('window') && key !== `window ${metric}`) this.#indices.delete(key);
    return this.#index(`window ${metric}`, rows, metric);
  }

  async trackIndex(metric: Metric): Promise<ExactIndex> {
    // The same rows each time: an index is of these.
    this.#trackRows ??= await this.rows('track');
    return this.#index(`track ${metric}`, this.#trackRows, metric);
  }

  /**
   * Frees the indices at once; queries under way must have ended. Vectors that made room for others are not closed: who
   * holds them may be asking still, and what nobody holds is freed with its memory outside JavaScript.
   */
  async close(): Promise<void> {
    this.#windowRows.close();
    const indices = await Promise.allSettled([...this.#indices.values()].map(({ index }) => index));
    this.#indices.clear();
    await Promise.all(
      indices.flatMap((index) => (index.status === 'fulfilled' ? [index.value.close()] : [])),
    );
  }

  #index(key: string, rows: Rows, metric: Metric): Promise<ExactIndex> {
    const known = this.#indices.get(key);
    if (known?.rows === rows) return known.index;
    const index = ExactIndex.over(rows, metric);
    this.#indices.set(key, { rows, index });
    index.catch(() => {
      if (this.#indices.get(key)?.index === index) this.#indices.delete(key);
    });
    return index;
  }
}
