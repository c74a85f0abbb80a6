import { createHash } from 'node:crypto';
import { ExactIndex } from '../../models/neighbours/exact.ts';
import type { OpenLibrary } from '../context.ts';
import { loadWindowEmbeddings, trackEmbeddings, type WindowEmbeddings } from '../library/embeddings.ts';

export type Metric = 'euclidean' | 'cosine';

/** Embeddings of a library in memory, with exact indices that are built when first asked for. */
export class LibraryVectors {
  readonly windows: WindowEmbeddings;
  /** Tells whether the embeddings of the library changed since. */
  readonly fingerprint: string;
  readonly #indices = new Map<string, Promise<ExactIndex>>();
  #tracks: { vectors: Float32Array; trackIds: string[] } | null = null;

  constructor(windows: WindowEmbeddings, fingerprint: string) {
    this.windows = windows;
    this.fingerprint = fingerprint;
  }

  /** Track embeddings: means over windows. */
  get tracks(): { vectors: Float32Array; trackIds: string[] } {
    this.#tracks ??= trackEmbeddings(this.windows);
    return this.#tracks;
  }

  windowIndex(metric: Metric): Promise<ExactIndex> {
    return this.#index(`window ${metric}`, () => this.windows.vectors, metric);
  }

  trackIndex(metric: Metric): Promise<ExactIndex> {
    return this.#index(`track ${metric}`, () => this.tracks.vectors, metric);
  }

  /** Frees the indices; queries under way must have ended. */
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

// One copy per open library: a hundred thousand windows are some hundred megabytes and a second of reading.
const kept = new WeakMap<OpenLibrary, LibraryVectors>();

/** The embeddings of all ready tracks, read again only when they changed. */
export function libraryVectors(library: OpenLibrary): LibraryVectors {
  const fingerprint = embeddingFingerprint(library);
  const known = kept.get(library);
  if (known?.fingerprint === fingerprint) return known;
  const vectors = new LibraryVectors(loadWindowEmbeddings(library), fingerprint);
  kept.set(library, vectors);
  return vectors;
}

/** Changes whenever a track, its content, its state or its embeddings do. */
function embeddingFingerprint(library: OpenLibrary): string {
  const row = library.db
    .prepare<{ fingerprint: string | null }>(
      `SELECT group_concat(part, '') AS fingerprint FROM (
         SELECT t.path || e.content_hash || e.pack_sha256 || e.windows || e.count AS part
         FROM tracks t JOIN cache.embeddings e ON e.track_id = t.id
         WHERE t.state = 'ready' ORDER BY t.path)`,
    )
    .get();
  return createHash('sha256')
    .update(row?.fingerprint ?? '')
    .digest('hex');
}
