import { basename, extname } from 'node:path';
import type { ComputedBy, SpaceInfo } from '../api/spaces.ts';
import type { Library } from '../library/library.ts';
import type { ProbeResult } from '../decode/index.ts';
import { newId } from '../identifier.ts';
import type { EmbeddedWindow } from '../library/embeddings.ts';
import { trackStateJoin, trackStateSql } from '../library/track-state.ts';
import { searchText } from '../library/search-text.ts';
import { toBlob } from '../storage/database.ts';
import { writeCover } from './cover.ts';
import { describeFailure } from './failure.ts';
import type { ScannedFile } from '../files/scan.ts';

/** A track as the last import left it. */
export interface KnownTrack {
  id: string;
  path: string;
  kind: 'file' | 'folder';
  file_state: 'present' | 'failed' | 'missing';
  /** 1 when its file could not be used, or it could not be embedded in the space of the import. */
  failed: number;
  bytes: number;
  modified_ms: number;
  /** Null until a scan of a version that knows it. */
  changed_ms: number | null;
  content_hash: string | null;
  problem_detail: string | null;
  problem_version: string | null;
  duration_seconds: number | null;
  /** 1 when it is embedded in the space of the import, and has peaks. */
  embedded: number;
}

/** One embedded track, ready to be stored. */
export interface TrackResult {
  durationSeconds: number;
  /** What was damaged in the file; null when nothing was. */
  note: string | null;
  windows: EmbeddedWindow[];
  /** Smallest and largest of each stretch, in 127ths. */
  peaks: Int8Array;
}

export const PEAKS_PER_SECOND = 50;

/** Writes what an import finds out about tracks. */
export class TrackStore {
  readonly #library: Library;
  readonly #space: SpaceInfo;
  readonly #version: string;

  constructor(library: Library, space: SpaceInfo, version: string) {
    this.#library = library;
    this.#space = space;
    this.#version = version;
  }

  known(): KnownTrack[] {
    return this.#library.db
      .prepare<KnownTrack>(
        `SELECT t.id, t.path, t.kind, t.file_state, ${trackStateSql} = 'failed' AS failed, t.bytes, t.modified_ms,
                t.changed_ms, t.content_hash, coalesce(t.problem_detail, failure.problem_detail) AS problem_detail,
                coalesce(t.problem_version, failure.problem_version) AS problem_version, t.duration_seconds,
                (e.track_id IS NOT NULL AND p.track_id IS NOT NULL) AS embedded
           FROM tracks t
           ${trackStateJoin}
           LEFT JOIN cache.peaks p ON p.track_id = t.id`,
      )
      .all([this.#space.key]);
  }

  /** How many tracks were read with damage. */
  noted(): number {
    const row = this.#library.db
      .prepare<{ count: number }>('SELECT COUNT(*) AS count FROM tracks WHERE note IS NOT NULL')
      .get();
    return row?.count ?? 0;
  }

  /** Runs several writes in one transaction. */
  together(body: () => void): void {
    this.#library.db.transaction(body)();
  }

  /** Whether failing again can be foreseen: same file, same version, and nothing outside the file was to blame. */
  failsAgain(track: KnownTrack): boolean {
    const lasting = ['empty', 'not-audio', 'unsupported', 'corrupt'].includes(track.problem_detail ?? '');
    return track.failed === 1 && lasting && track.problem_version === this.#version;
  }

  /** Its file can be read, and nothing is known against its being embedded. */
  setPresent(id: string): void {
    this.#library.db
      .prepare('DELETE FROM embedding_failures WHERE space = ? AND track_id = ?')
      .run([this.#space.key, id]);
    this.#library.db
      .prepare(
        `UPDATE tracks SET file_state = 'present', problem = NULL, problem_detail = NULL, problem_version = NULL
          WHERE id = ? AND (file_state <> 'present' OR problem IS NOT NULL)`,
      )
      .run([id]);
  }

  setMissing(id: string): void {
    this.#library.db
      .prepare(`UPDATE tracks SET file_state = 'missing', problem = NULL WHERE id = ?`)
      .run([id]);
  }

  setChanged(id: string, changedMs: number): void {
    this.#library.db.prepare('UPDATE tracks SET changed_ms = ? WHERE id = ?').run([changedMs, id]);
  }

  remove(id: string): void {
    this.#library.db.prepare('DELETE FROM tracks WHERE id = ?').run([id]);
  }

  /**
   * Stores tags and hash of a file, under a known id or as a new track; it then waits to be embedded.
   * @param sameSound its embeddings stay, and with them what was damaged when they were made
   */
  putProbed(id: string | null, file: ScannedFile, probe: ProbeResult, sameSound = false): string {
    const { tags, info } = probe;
    const title = tags.title ?? basename(file.path, extname(file.path));
    const cover = probe.cover ? writeCover(this.#library.cacheFolder, probe.cover) : null;
    return this.#put(id, file.path, {
      kind: 'file',
      file_state: 'present',
      problem: null,
      ...(sameSound ? {} : { note: null }),
      problem_detail: null,
      problem_version: null,
      bytes: probe.bytes,
      modified_ms: file.modifiedMs,
      changed_ms: file.changedMs,
      content_hash: probe.contentHash,
      title,
      artist: tags.artist,
      album: tags.album,
      genre: JSON.stringify(tags.genre),
      year: whole(tags.year),
      track_number: whole(tags.track),
      bpm: tags.bpm,
      musical_key: tags.key,
      comment: tags.comment,
      cover,
      cover_problem: cover === null ? probe.coverProblem : null,
      format: info?.format ?? null,
      sample_rate: whole(info?.sampleRate ?? null),
      channels: whole(info?.channels ?? null),
      duration_seconds: info?.durationSeconds ?? null,
      search_text: searchText([file.path, title, tags.artist, tags.album, ...tags.genre]),
    });
  }

  /** Lists a track that could not be decoded or embedded in the space of the import; others may have it. */
  putNotEmbedded(id: string, thrown: unknown): void {
    const { problem, detail } = describeFailure(thrown);
    this.#library.db
      .prepare(
        `INSERT OR REPLACE INTO embedding_failures (space, track_id, content_hash, problem, problem_detail, problem_version)
           SELECT ?, id, content_hash, ?, ?, ? FROM tracks WHERE id = ? AND content_hash IS NOT NULL`,
      )
      .run([this.#space.key, JSON.stringify(problem), detail, this.#version, id]);
  }

  /** Lists something that cannot be imported, with its reason. */
  putFailed(
    id: string | null,
    at: { path: string; kind: 'file' | 'folder'; bytes?: number; modifiedMs?: number; changedMs?: number },
    thrown: unknown,
  ): string {
    const { problem, detail } = describeFailure(thrown);
    const failure = {
      kind: at.kind,
      file_state: 'failed',
      problem: JSON.stringify(problem),
      note: null,
      problem_detail: detail,
      problem_version: this.#version,
    };
    // Its content is not known any more: embeddings of what it was must not count for it.
    const seen =
      at.modifiedMs === undefined
        ? {}
        : {
            bytes: at.bytes ?? 0,
            modified_ms: at.modifiedMs,
            changed_ms: at.changedMs ?? null,
            content_hash: null,
          };
    const title = basename(at.path, at.kind === 'file' ? extname(at.path) : '');
    return this.#put(
      id,
      at.path,
      id === null
        ? { ...failure, ...seen, title, search_text: searchText([at.path]) }
        : { ...failure, ...seen },
    );
  }

  /** Takes over the embeddings of another track with the same content. @returns how many windows that gave */
  copyEmbeddings(id: string, contentHash: string): number {
    const { db, embeddings } = this.#library;
    return db.transaction(() => {
      const twin = embeddings.copyTwin(this.#space, id, contentHash);
      if (!twin) return 0;
      db.prepare(
        `INSERT OR REPLACE INTO cache.peaks
           SELECT ?, per_second, duration_seconds, peaks FROM cache.peaks WHERE track_id = ?`,
      ).run([id, twin.trackId]);
      db.prepare(
        `UPDATE tracks SET duration_seconds = (SELECT duration_seconds FROM cache.peaks WHERE track_id = tracks.id),
           note = (SELECT note FROM tracks AS twin WHERE twin.id = ?) WHERE id = ?`,
      ).run([twin.trackId, id]);
      this.setPresent(id);
      return twin.count;
    })();
  }

  /**
   * Stores everything about an embedded track at once: after a crash it is there or it is not.
   * @param by what computed its embeddings
   */
  putResult(id: string, result: TrackResult, by: ComputedBy | null): void {
    const { db, embeddings } = this.#library;
    db.transaction(() => {
      embeddings.put(this.#space, id, result.windows, by);
      db.prepare(
        'INSERT OR REPLACE INTO cache.peaks (track_id, per_second, duration_seconds, peaks) VALUES (?, ?, ?, ?)',
      ).run([id, PEAKS_PER_SECOND, result.durationSeconds, toBlob(result.peaks)]);
      // The decoder knows the length; headers may lie.
      db.prepare('UPDATE tracks SET duration_seconds = ?, note = ? WHERE id = ?').run([
        result.durationSeconds,
        result.note,
        id,
      ]);
      this.setPresent(id);
    })();
  }

  /**
   * Takes back what this import stored of a track, which then waits to be embedded again.
   * @returns what it was stored as
   */
  takeBack(id: string): 'failed' | 'embedded' {
    const { db } = this.#library;
    return db.transaction(() => {
      const failure = db
        .prepare('SELECT 1 FROM embedding_failures WHERE space = ? AND track_id = ?')
        .get([this.#space.key, id]);
      db.prepare('DELETE FROM cache.embeddings WHERE space = ? AND track_id = ?').run([this.#space.key, id]);
      this.setPresent(id);
      return failure === undefined ? 'embedded' : 'failed';
    })();
  }

  #put(id: string | null, path: string, columns: Record<string, string | number | null>): string {
    const { db } = this.#library;
    const trackId = id ?? newId();
    const names = Object.keys(columns);
    if (id === null) {
      db.prepare(
        `INSERT INTO tracks (id, path, added_at, ${names.join(', ')})
           VALUES (?, ?, ?, ${names.map(() => '?').join(', ')})`,
      ).run([trackId, path, new Date().toISOString(), ...Object.values(columns)]);
    } else {
      db.prepare(
        `UPDATE tracks SET path = ?, ${names.map((name) => `${name} = ?`).join(', ')} WHERE id = ?`,
      ).run([path, ...Object.values(columns), id]);
    }
    return trackId;
  }
}

function whole(value: number | null): number | null {
  return value === null || !Number.isFinite(value) ? null : Math.round(value);
}

/** Peaks as they are stored. */
export function quantisePeaks(peaks: Float32Array): Int8Array {
  const quantised = new Int8Array(peaks.length);
  for (let i = 0; i < peaks.length; i++)
    quantised[i] = Math.round(Math.max(-1, Math.min(1, peaks[i] ?? 0)) * 127);
  return quantised;
}
