import { meanByTrack } from '../../models/embeddings/pooling.ts';
import { ExactIndex } from '../../models/neighbours/exact.ts';
import { standardisationOf, type Standardisation } from '../../models/neighbours/standardised.ts';
import { WorkedOnce } from './worked-once.ts';
import { TrackSimilarities } from './track-similarities.ts';
import type { WindowEmbeddings } from './window-embeddings.ts';

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
}

/** In place of a prototype. */
export const NOT_TRAINING = -1;

/** What a revision says of every track: logits `[tracks, C]`, and the class of the largest one. */
export interface TrackLogits {
  logits: Float32Array;
  tops: Uint16Array;
}

/** Revisions whose logits are kept: the present one, and one beside it. */
const MOST_LOGITS = 2;

/** Revisions whose facts are kept: some steps of undo in two experiments. */
const MOST_FACTS = 16;

/** Embeddings of a library in one space, in memory, with exact indices that are built when first asked for. */
export class LibraryVectors {
  readonly windows: WindowEmbeddings;
  readonly similarities = new TrackSimilarities();
  readonly #facts = new WorkedOnce<PrototypeFacts>(MOST_FACTS);
  readonly #logits = new WorkedOnce<TrackLogits>(MOST_LOGITS);
  readonly #indices = new Map<string, Promise<ExactIndex>>();
  readonly #standardisations = new Map<string, Standardisation>();
  #tracks: TrackEmbeddings | null = null;
  #rowOfTrack: ReadonlyMap<string, number> | null = null;

  constructor(windows: WindowEmbeddings) {
    this.windows = windows;
  }

  /** Track embeddings: means over windows. */
  get tracks(): TrackEmbeddings {
    const { vectors, dim, trackOf, trackIds } = this.windows;
    this.#tracks ??= { vectors: meanByTrack(vectors, dim, trackOf, trackIds.length), trackIds };
    return this.#tracks;
  }

  /** Where a track stands in {@link tracks}. */
  get rowOfTrack(): ReadonlyMap<string, number> {
    return (this.#rowOfTrack ??= new Map(this.windows.trackIds.map((id, row) => [id, row])));
  }

  /** What brings every dimension of the tracks, or windows, to mean 0 and deviation 1. @throws the signal's reason */
  async standardisation(level: 'track' | 'window', signal: AbortSignal): Promise<Standardisation> {
    const known = this.#standardisations.get(level);
    if (known) return known;
    const { vectors } = level === 'track' ? this.tracks : this.windows;
    const made = await standardisationOf(vectors, this.windows.dim, signal);
    this.#standardisations.set(level, made);
    return made;
  }

  /** What is known of the prototypes of a revision, worked out where it is asked for first. */
  prototypeFacts(revision: string, make: () => Promise<PrototypeFacts>): Promise<PrototypeFacts> {
    return this.#facts.of(revision, make);
  }

  /** What a revision says of every track, worked out where it is asked for first. */
  trackLogits(revision: string, make: () => Promise<TrackLogits>): Promise<TrackLogits> {
    return this.#logits.of(revision, make);
  }

  windowIndex(metric: Metric): Promise<ExactIndex> {
    return this.#index(`window ${metric}`, () => this.windows.vectors, metric);
  }

  trackIndex(metric: Metric): Promise<ExactIndex> {
    return this.#index(`track ${metric}`, () => this.tracks.vectors, metric);
  }

  /**
   * Frees the indices at once; queries under way must have ended. Vectors that made room for others are not closed: who
   * holds them may be asking still, and what nobody holds is freed with its memory outside JavaScript.
   */
  async close(): Promise<void> {
    const indices = await Promise.allSettled([...this.#indices.values()]);
    this.#indices.clear();
    await Promise.all(
      indices.flatMap((index) => (index.status === 'fulfilled' ? [index.value.close()] : [])),
    );
  }

  #index(key: string, vectors: () => Float32Array, metric: Metric): Promise<ExactIndex> {
    let index = this.#indices.get(key);
    if (!index) {
      index = ExactIndex.build(vectors(), this.windows.dim, metric);
      this.#indices.set(key, index);
      index.catch(() => this.#indices.delete(key));
    }
    return index;
  }
}
