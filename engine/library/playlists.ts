import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { Pacer } from '../../models/numerics/pacer.ts';
import type { PlaylistEntry } from '../../models/playlists/playlist.ts';
import { EngineError } from '../api/errors.ts';
import type { PlaylistInfo, UnmatchedEntry } from '../api/playlists.ts';
import { newId } from '../identifier.ts';
import type { Database } from '../storage/database.ts';
import type { Announce } from './changes.ts';
import { Kept } from './kept.ts';
import { PlaylistMatcher } from './playlist-matcher.ts';

/** Of all playlists of a library: they are matched again whenever tracks come or go. */
const MAX_ENTRIES = 500_000;
/** Finding the track of an entry, in units of {@link Pacer.due}. */
const WORK_PER_ENTRY = 2000;

/** A playlist as it was read, whatever of it is in the library. */
export interface NewPlaylist {
  name: string;
  format: PlaylistInfo['format'];
  /** Where it was read from. */
  path: string;
  entries: readonly PlaylistEntry[];
}

interface PlaylistRow {
  id: string;
  name: string;
  format: PlaylistInfo['format'];
  path: string;
  entries: string;
  added_at: string;
}

/** A playlist with what of it is in the library now. */
export interface MatchedPlaylist extends PlaylistInfo {
  /** Each once, in the order of the playlist. */
  trackIds: readonly string[];
  unmatchedEntries: readonly UnmatchedEntry[];
}

/**
 * The playlists of a library. Their entries are kept as their files say them and matched when they are asked for, so that
 * music that is imported later belongs to them.
 */
export class PlaylistRepository {
  readonly #db: Database;
  readonly #announce: Announce;
  readonly #folder: () => string;
  readonly #matched: Kept<'all', Promise<MatchedPlaylist[]>>;

  /** @param folder the music folder, absolute */
  constructor(db: Database, folder: () => string, announce: Announce) {
    this.#db = db;
    this.#folder = folder;
    this.#announce = announce;
    this.#matched = new Kept(db, ['library', 'tracks', 'playlists'], 1);
  }

  /** By name, as the library is when they are asked for. */
  async matched(): Promise<readonly MatchedPlaylist[]> {
    try {
      return await this.#matched.get('all', () => this.#match());
    } catch (thrown) {
      this.#matched.clear();
      throw thrown;
    }
  }

  /** How many entries all of them have. */
  entries(): number {
    const row = this.#db.prepare<{ n: number }>('SELECT TOTAL(entry_count) AS n FROM playlists').get();
    return row?.n ?? 0;
  }

  /**
   * Adds playlists. One with the entries of one that is there is that one; one of the same name and place takes the place
   * of what was read there before.
   * @returns ids of the new ones, names of those that were there
   * @throws EngineError `bad-input` for more than a library keeps: then none is added
   */
  add(playlists: readonly NewPlaylist[]): { added: string[]; known: string[] } {
    const added: string[] = [];
    const known: string[] = [];
    // A file may hold several of one name: what it said just now takes nobody's place.
    const present = new Map<string, string[]>();
    const keep = (place: string, id: string): void => {
      present.set(place, [...(present.get(place) ?? []), id]);
    };
    this.#db.transaction(() => {
      for (const { name, format, path, entries } of playlists) {
        const text = JSON.stringify(entries.map(({ location, artist, title }) => [location, artist, title]));
        const digest = createHash('sha256')
          .update(`${dirname(path)}\n${text}`)
          .digest('hex');
        const place = `${path}\n${name}`;
        const same = this.#db
          .prepare<{ id: string }>('SELECT id FROM playlists WHERE digest = ?')
          .get([digest]);
        if (same) {
          known.push(name);
          keep(place, same.id);
          continue;
        }
        this.#db
          .prepare(
            'DELETE FROM playlists WHERE path = ? AND name = ? AND id NOT IN (SELECT value FROM json_each(?))',
          )
          .run([path, name, JSON.stringify(present.get(place) ?? [])]);
        const id = newId();
        keep(place, id);
        this.#db
          .prepare(
            `INSERT INTO playlists (id, name, format, path, digest, entries, entry_count, added_at)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
          )
          .run([id, name, format, path, digest, text, entries.length, new Date().toISOString()]);
        added.push(id);
      }
      const all = this.entries();
      if (all > MAX_ENTRIES && added.length > 0)
        throw new EngineError(
          'bad-input',
          `The playlists of this library would have ${all} entries; it keeps ${MAX_ENTRIES}.`,
          'Add fewer, or remove some first.',
        );
    })();
    if (added.length > 0) this.#announce('playlists');
    return { added, known };
  }

  remove(ids: readonly string[]): void {
    const { changes } = this.#db
      .prepare('DELETE FROM playlists WHERE id IN (SELECT value FROM json_each(?))')
      .run([JSON.stringify(ids)]);
    if (changes > 0) this.#announce('playlists');
  }

  /** Reads the tables at once, and lets other work in while entries are matched. */
  async #match(): Promise<MatchedPlaylist[]> {
    const rows = this.#db
      .prepare<PlaylistRow>(
        'SELECT id, name, format, path, entries, added_at FROM playlists ORDER BY name COLLATE NOCASE, path, id',
      )
      .all();
    if (rows.length === 0) return [];
    const tracks = this.#db
      .prepare<{ id: string; path: string; title: string; artist: string | null }>(
        `SELECT id, path, title, artist FROM tracks WHERE kind = 'file' ORDER BY path`,
      )
      .all();
    const matcher = new PlaylistMatcher(tracks, this.#folder());
    const pacer = new Pacer();
    const matched: MatchedPlaylist[] = [];
    for (const { id, name, format, path, entries: text, added_at: addedAt } of rows) {
      // Written by `add`.
      const entries = JSON.parse(text) as [string, string | null, string | null][];
      const trackIds = new Set<string>();
      const unmatchedEntries: UnmatchedEntry[] = [];
      for (const [i, [location, artist, title]] of entries.entries()) {
        if (pacer.due(WORK_PER_ENTRY)) await pacer.pause();
        const found = matcher.match({ location, artist, title }, format === 'folder' ? null : path);
        if (typeof found === 'number') trackIds.add(tracks[found]?.id ?? '');
        else unmatchedEntries.push({ position: i + 1, ...found });
      }
      matched.push({
        ...{ id, name, format, path, addedAt },
        entries: entries.length,
        tracks: trackIds.size,
        unmatched: unmatchedEntries.length,
        trackIds: [...trackIds],
        unmatchedEntries,
      });
    }
    return matched;
  }
}
