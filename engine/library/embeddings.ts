import { createHash } from 'node:crypto';
import { meanByTrack } from '../../models/embeddings/pooling.ts';
import type { Rows } from '../../models/neighbours/rows.ts';
import type { ComputedBy, SpaceInfo } from '../api/spaces.ts';
import { EngineError } from '../api/errors.ts';
import { toBlob, type Database } from '../storage/database.ts';
import { countOf, dimOf, inChunks, joinedRows, type Head } from './embedding-rows.ts';
import { Kept } from './kept.ts';
import { type SpaceRepository, otherSpace } from './spaces.ts';
import { LibraryVectors } from './vectors.ts';
import type { WindowEmbeddings } from './window-embeddings.ts';
import { dropVectorFile, WindowsInFile, type VectorPlace } from './window-rows.ts';

/** Tracks whose vectors in a file are held against the database when it is opened. */
const LOOKED_AT = 32;
/** Spaces whose vectors are held in memory: the current one, and one that is looked at beside it. */
const IN_MEMORY = 2;

/** Which tracks are embedded in a space, without their vectors. */
export interface EmbeddedTracks {
  trackIds: readonly string[];
  /** Windows of each. */
  counts: readonly number[];
  /** Equal for equal embeddings of the same tracks, also after the library was closed. */
  fingerprint: string;
}

/** A window of a track with its embedding. */
export interface EmbeddedWindow {
  index: number;
  startSeconds: number;
  /** Seconds of audio in it. */
  seconds: number;
  z: Float32Array;
}

/**
 * The embeddings of a library: at most one row for each space and track. A row counts while the track's file still has
 * the content it was made from; rows of other spaces than the current one are kept.
 */
export class EmbeddingRepository {
  readonly #db: Database;
  readonly #spaces: SpaceRepository;
  readonly #place: VectorPlace;
  // A hundred thousand windows are some hundred megabytes and a second of reading.
  readonly #vectors: Kept<string, LibraryVectors>;
  readonly #tracks: Kept<string, EmbeddedTracks>;
  readonly #allHeads: Kept<string, readonly Head[]>;
  readonly #means: Kept<string, Float32Array>;

  constructor(db: Database, spaces: SpaceRepository, place: VectorPlace) {
    this.#db = db;
    this.#spaces = spaces;
    this.#place = place;
    this.#vectors = new Kept(db, ['tracks', 'embeddings'], IN_MEMORY);
    this.#tracks = new Kept(db, ['tracks', 'embeddings'], IN_MEMORY);
    this.#allHeads = new Kept(db, ['tracks', 'embeddings'], 1);
    this.#means = new Kept(db, ['tracks', 'embeddings'], 1);
  }

  /**
   * All embeddings of a space with their indices, in memory or, beyond what that may take, in a file; read again only when
   * they changed.
   */
  vectors(space: SpaceInfo = this.#spaces.current()): LibraryVectors {
    return this.#vectors.get(space.key, () => {
      const heads = this.#heads(space);
      if (!this.#fits(heads)) return this.#onDisk(space, heads);
      const means = this.#means.known(space.key);
      return new LibraryVectors(this.load(space), means ? { tracks: () => means } : {});
    });
  }

  /**
   * The mean of each track over its windows, `[tracks, dim]`, in the order of {@link tracks}. They are worked out while the windows
   * are read: who needs these only waits half as long, and for a third of the memory, as for all vectors of a library.
   */
  trackMeans(space: SpaceInfo): { vectors: Float32Array; dim: number } {
    const heads = this.#heads(space);
    const vectors =
      this.#vectors.known(space.key)?.tracks.vectors ??
      this.#means.get(space.key, () => this.#meansOf(space, heads));
    return { vectors, dim: dimOf(heads) };
  }

  #meansOf(space: SpaceInfo, heads: readonly Head[]): Float32Array {
    const dim = dimOf(heads);
    const means = new Float32Array(heads.length * dim);
    let first = 0;
    for (const { part, blobs } of joinedRows(this.#db, space, heads, ['vectors'])) {
      const trackOf = new Int32Array(countOf(part));
      let row = 0;
      for (const [track, { count }] of part.entries()) trackOf.fill(track, row, (row += count));
      means.set(meanByTrack(new Float32Array(blobs.vectors), dim, trackOf, part.length), first * dim);
      first += part.length;
    }
    return means;
  }

  /** Makes the file that the vectors of a space are searched from, where they need one. @throws the signal's reason */
  async prepare(space: SpaceInfo, signal: AbortSignal): Promise<void> {
    if (!this.#fits(this.#heads(space))) await this.vectors(space).rows('window', signal);
  }

  #fits(heads: readonly Head[]): boolean {
    return 4 * dimOf(heads) * countOf(heads) <= this.#place.inMemory();
  }

  /** The tracks that are embedded in a space, in the order of their vectors. */
  tracks(space: SpaceInfo = this.#spaces.current()): EmbeddedTracks {
    return this.#tracks.get(space.key, () => {
      const heads = this.#heads(space);
      const trackIds = heads.map(({ id }) => id);
      const counts = heads.map(({ count }) => count);
      const hashes = heads.map((head) => head.content_hash);
      return { trackIds, counts, fingerprint: fingerprintOf(space, trackIds, hashes, counts) };
    });
  }

  /** The numbers of all windows embedded in a space, track after track. */
  windowIndices(space: SpaceInfo): Int32Array {
    const { trackIds, counts } = this.tracks(space);
    const all = new Int32Array(counts.reduce((sum, count) => sum + count, 0));
    const rows = this.#db
      .prepare<{ track_id: string; window_index: ArrayBuffer }>(
        'SELECT track_id, window_index FROM cache.embeddings WHERE space = ?',
      )
      .all([space.key]);
    const byTrack = new Map(rows.map((row) => [row.track_id, row.window_index]));
    let offset = 0;
    trackIds.forEach((id, track) => {
      const indices = byTrack.get(id);
      if (indices) all.set(new Int32Array(indices), offset);
      offset += counts[track] ?? 0;
    });
    return all;
  }

  /**
   * The embeddings that something made in a space can be held against.
   * @param what the subject of a sentence: “This experiment”
   * @throws EngineError `other-space` when all tracks are embedded in another one only
   */
  madeIn(space: SpaceInfo, what: string): LibraryVectors {
    this.checkMadeIn(space, what);
    return this.vectors(space);
  }

  /** As {@link madeIn}, without reading any. @throws EngineError `other-space` */
  checkMadeIn(space: SpaceInfo, what: string): void {
    if (this.tracks(space).trackIds.length > 0) return;
    const current = this.#spaces.current();
    if (space.key !== current.key && this.tracks(current).trackIds.length > 0)
      throw otherSpace(what, space, current);
  }

  /** Embeddings of the tracks that are ready in a space, or of some of them. */
  load(space: SpaceInfo = this.#spaces.current(), trackIds?: readonly string[]): WindowEmbeddings {
    const heads = this.#heads(space, trackIds);
    const vectors = new Float32Array(countOf(heads) * dimOf(heads));
    let offset = 0;
    const places = this.#places(space, heads, (part) => {
      vectors.set(part, offset);
      offset += part.length;
    });
    return { ...places, vectors };
  }

  /**
   * Where the windows lie in their tracks.
   * @param take is given the vectors of some tracks after the other, which are read with the places
   */
  #places(
    space: SpaceInfo,
    heads: readonly Head[],
    take?: (vectors: Float32Array) => void,
  ): Omit<WindowEmbeddings, 'vectors'> {
    const count = countOf(heads);
    const all = {
      space,
      dim: dimOf(heads),
      count,
      trackIds: heads.map((head) => head.id),
      contentHashes: heads.map((head) => head.content_hash),
      trackOf: new Int32Array(count),
      windowIndex: new Int32Array(count),
      startSeconds: new Float32Array(count),
      durationSeconds: new Float32Array(count),
    };
    const places = ['window_index', 'start_seconds', 'window_seconds'] as const;
    let offset = 0;
    let track = 0;
    for (const { part, blobs } of joinedRows(
      this.#db,
      space,
      heads,
      take ? [...places, 'vectors'] : places,
    )) {
      all.windowIndex.set(new Int32Array(blobs.window_index), offset);
      all.startSeconds.set(new Float32Array(blobs.start_seconds), offset);
      all.durationSeconds.set(new Float32Array(blobs.window_seconds), offset);
      take?.(new Float32Array(blobs.vectors));
      for (const head of part) all.trackOf.fill(track++, offset, (offset += head.count));
    }
    return all;
  }

  /** The vectors of all windows of some tracks. */
  #read(space: SpaceInfo, heads: readonly Head[]): Float32Array {
    const all = new Float32Array(countOf(heads) * dimOf(heads));
    let offset = 0;
    for (const { blobs } of joinedRows(this.#db, space, heads, ['vectors'])) {
      const vectors = new Float32Array(blobs.vectors);
      all.set(vectors, offset);
      offset += vectors.length;
    }
    return all;
  }

  /** Vectors that are searched from a file beside the databases. */
  #onDisk(space: SpaceInfo, heads: readonly Head[]): LibraryVectors {
    const places = this.#places(space, heads);
    const { dim, count } = places;
    const revision = this.#db.revision('tracks', 'embeddings');
    let held: WeakRef<Float32Array> | null = null;
    const all = (): Float32Array => {
      const known = held?.deref();
      if (known) return known;
      const vectors = this.#read(space, heads);
      held = new WeakRef(vectors);
      return vectors;
    };
    const rows = new WindowsInFile(
      {
        ...{ space, dim, count, fingerprint: this.tracks(space).fingerprint, vectors: all },
        parts: () => this.#parts(space, heads),
        agrees: (found) => this.#agrees(space, heads, found),
        unchanged: () => this.#db.revision('tracks', 'embeddings') === revision,
      },
      this.#place,
    );
    const windows: WindowEmbeddings = {
      ...places,
      get vectors() {
        return all();
      },
    };
    return new LibraryVectors(windows, { rows, tracks: () => this.#meansOf(space, heads) });
  }

  /** All vectors in order, those of some tracks at a time. */
  *#parts(space: SpaceInfo, heads: readonly Head[]): Generator<Float32Array, void> {
    for (const part of inChunks(heads)) yield this.#read(space, part);
  }

  /** Whether rows are the vectors of the database in as many tracks as can be looked at without reading most of it. */
  #agrees(space: SpaceInfo, heads: readonly Head[], rows: Rows): boolean {
    const step = Math.max(1, Math.floor(heads.length / LOOKED_AT));
    let first = 0;
    for (const [track, head] of heads.entries()) {
      if (track % step === 0 || track === heads.length - 1) {
        const found = rows.read(first, head.count);
        if (this.#read(space, [head]).some((value, i) => value !== found[i])) return false;
      }
      first += head.count;
    }
    return true;
  }

  /**
   * The windows of one track.
   * @throws EngineError `not-found` when it is not embedded (yet); `other-space` when it is, but not in this space
   */
  ofTrack(trackId: string, space: SpaceInfo = this.#spaces.current()): WindowEmbeddings {
    const windows = this.load(space, [trackId]);
    if (windows.count > 0) return windows;
    const current = this.#spaces.current();
    if (space.key !== current.key && this.load(current, [trackId]).count > 0)
      throw otherSpace('The embedding of this track', current, space);
    throw this.#notEmbedded(trackId);
  }

  #notEmbedded(trackId: string): EngineError {
    const track = this.#db
      .prepare<{ path: string; file_state: string }>('SELECT path, file_state FROM tracks WHERE id = ?')
      .get([trackId]);
    if (!track)
      return new EngineError(
        'not-found',
        'This track is not in the library.',
        'Choose one that the list of tracks shows.',
      );
    if (track.file_state === 'missing')
      return new EngineError(
        'not-found',
        `The file of ${track.path} is missing, and no embeddings are used of it.`,
        'Put the file back and import the library again, or choose another track.',
      );
    return new EngineError(
      'not-found',
      'This track has no embeddings.',
      'Import the library again; if the track failed, its row says why.',
    );
  }

  /** Where the windows of a track lie; none when it is not embedded in the current space. */
  windowsOf(trackId: string): { index: number; startSeconds: number; durationSeconds: number }[] {
    const { windowIndex, startSeconds, durationSeconds } = this.load(this.#spaces.current(), [trackId]);
    return Array.from(windowIndex, (index, row) => ({
      index,
      startSeconds: startSeconds[row] ?? 0,
      durationSeconds: durationSeconds[row] ?? 0,
    }));
  }

  /**
   * What the vectors of some tracks in a space were computed with, each way once; what versions computed that did not say
   * is left out.
   * @param trackIds default: all tracks
   */
  computedBy(space: SpaceInfo, trackIds?: readonly string[]): ComputedBy[] {
    const only = trackIds ? 'AND track_id IN (SELECT value FROM json_each(?))' : '';
    return this.#db
      .prepare<{ provider: string; runtime: string; processor: string }>(
        `SELECT DISTINCT provider, runtime, processor FROM cache.embeddings
          WHERE space = ? AND provider IS NOT NULL ${only} ORDER BY provider, runtime, processor`,
      )
      .all([space.key, ...(trackIds ? [JSON.stringify(trackIds)] : [])]);
  }

  /**
   * Stores the windows of a track, for the content that its file has now.
   * @param by what computed them; null where nobody knows
   */
  put(space: SpaceInfo, trackId: string, windows: readonly EmbeddedWindow[], by: ComputedBy | null): void {
    dropVectorFile(this.#place.folder, space);
    const dim = windows[0]?.z.length ?? 0;
    const vectors = new Float32Array(windows.length * dim);
    windows.forEach((window, row) => vectors.set(window.z, row * dim));
    this.#db
      .prepare(
        `INSERT OR REPLACE INTO cache.embeddings (space, track_id, content_hash, dim, count, window_index,
             start_seconds, window_seconds, vectors, provider, runtime, processor)
           SELECT ?, id, content_hash, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM tracks WHERE id = ?`,
      )
      .run([
        space.key,
        dim,
        windows.length,
        toBlob(Int32Array.from(windows, (w) => w.index)),
        toBlob(Float32Array.from(windows, (w) => w.startSeconds)),
        toBlob(Float32Array.from(windows, (w) => w.seconds)),
        toBlob(vectors),
        by?.provider ?? null,
        by?.runtime ?? null,
        by?.processor ?? null,
        trackId,
      ]);
  }

  /**
   * Gives a track the embeddings of another one that has the same content now: of what one held before, the peaks are gone.
   * @returns that track with its number of windows; null when there is none
   */
  copyTwin(
    space: SpaceInfo,
    trackId: string,
    contentHash: string,
  ): { trackId: string; count: number } | null {
    const twin = this.#db
      .prepare<{ track_id: string; count: number }>(
        `SELECT e.track_id, e.count FROM cache.embeddings e JOIN cache.peaks p ON p.track_id = e.track_id
           JOIN tracks t ON t.id = e.track_id AND t.content_hash = e.content_hash
          WHERE e.content_hash = ? AND e.space = ? AND e.track_id <> ? LIMIT 1`,
      )
      .get([contentHash, space.key, trackId]);
    if (!twin) return null;
    dropVectorFile(this.#place.folder, space);
    this.#db
      .prepare(
        `INSERT OR REPLACE INTO cache.embeddings (space, track_id, content_hash, dim, count, window_index,
             start_seconds, window_seconds, vectors, provider, runtime, processor)
           SELECT space, ?, content_hash, dim, count, window_index, start_seconds, window_seconds, vectors, provider,
                  runtime, processor
             FROM cache.embeddings WHERE space = ? AND track_id = ?`,
      )
      .run([trackId, space.key, twin.track_id]);
    return { trackId: twin.track_id, count: twin.count };
  }

  /**
   * Stores vectors that were worked out from those of another space, window for window, for the tracks whose files still
   * have the content they had then.
   * @param vectors `[windows.count, dim]`
   */
  putDerived(
    space: SpaceInfo,
    windows: WindowEmbeddings,
    vectors: Float32Array,
    by: ComputedBy | null,
  ): void {
    dropVectorFile(this.#place.folder, space);
    const dim = vectors.length / Math.max(1, windows.count);
    const insert = this.#db.prepare(
      `INSERT OR REPLACE INTO cache.embeddings (space, track_id, content_hash, dim, count, window_index,
           start_seconds, window_seconds, vectors, provider, runtime, processor)
         SELECT ?, id, content_hash, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM tracks WHERE id = ? AND content_hash = ?`,
    );
    this.#db.transaction(() => {
      let from = 0;
      windows.trackIds.forEach((id, track) => {
        let to = from;
        while (windows.trackOf[to] === track) to++;
        insert.run([
          space.key,
          dim,
          to - from,
          toBlob(windows.windowIndex.slice(from, to)),
          toBlob(windows.startSeconds.slice(from, to)),
          toBlob(windows.durationSeconds.slice(from, to)),
          toBlob(vectors.slice(from * dim, to * dim)),
          by?.provider ?? null,
          by?.runtime ?? null,
          by?.processor ?? null,
          id,
          windows.contentHashes[track] ?? '',
        ]);
        from = to;
      });
    })();
  }

  /** Frees what is in memory. */
  close(): void {
    // Each frees its own when the queries under way have ended.
    for (const vectors of this.#vectors.values()) void vectors.close();
    this.#vectors.clear();
    this.#means.clear();
  }

  /** @param trackIds default: all that are embedded, which are kept */
  #heads(space: SpaceInfo, trackIds?: readonly string[]): readonly Head[] {
    return trackIds
      ? this.#readHeads(space, trackIds)
      : this.#allHeads.get(space.key, () => this.#readHeads(space));
  }

  #readHeads(space: SpaceInfo, trackIds?: readonly string[]): readonly Head[] {
    // Embeddings first, by the index that holds all that is asked here: of few tracks few rows are looked at.
    const only = trackIds ? 'AND e.track_id IN (SELECT value FROM json_each(?))' : '';
    return this.#db
      .prepare<Head>(
        `SELECT t.id, e.content_hash, e.dim, e.count
           FROM cache.embeddings e CROSS JOIN tracks t ON t.id = e.track_id AND t.content_hash = e.content_hash
          WHERE e.space = ? AND t.file_state = 'present' ${only} ORDER BY t.path`,
      )
      .all([space.key, ...(trackIds ? [JSON.stringify(trackIds)] : [])]);
  }
}

function fingerprintOf(
  space: SpaceInfo,
  trackIds: readonly string[],
  contentHashes: readonly string[],
  counts: readonly number[],
): string {
  const count = counts.reduce((sum, own) => sum + own, 0);
  const hash = createHash('sha256').update(`${space.key} ${count}`);
  trackIds.forEach((id, track) => hash.update(`\n${id} ${contentHashes[track] ?? ''}`));
  return hash.digest('hex');
}
