import { EngineError } from '../api/errors.ts';
import type { TrackSet } from '../api/sets.ts';
import { newId } from '../identifier.ts';
import type { Database } from '../storage/database.ts';
import type { Announce } from './changes.ts';

/** The sets of tracks that are kept under a name. */
export class TrackSetRepository {
  readonly #db: Database;
  readonly #announce: Announce;

  constructor(db: Database, announce: Announce) {
    this.#db = db;
    this.#announce = announce;
  }

  /** By name. */
  list(): TrackSet[] {
    return this.#db
      .prepare<TrackSet>(
        `SELECT id, name, (SELECT count(*) FROM track_set_members WHERE set_id = id) AS tracks
          FROM track_sets ORDER BY name COLLATE NOCASE, id`,
      )
      .all();
  }

  /** In the order of their paths. @throws EngineError `not-found` */
  tracks(setId: string): string[] {
    this.#get(setId);
    return this.#db
      .prepare<{ id: string }>(
        `SELECT t.id FROM track_set_members m JOIN tracks t ON t.id = m.track_id WHERE m.set_id = ? ORDER BY t.path`,
      )
      .all([setId])
      .map(({ id }) => id);
  }

  /** @throws EngineError `bad-input` for a name that is taken; `not-found` for a track that is not there */
  save(name: string, trackIds: readonly string[]): TrackSet {
    const id = newId();
    this.#db.transaction(() => {
      this.#requireFree(name, null);
      this.#db
        .prepare('INSERT INTO track_sets (id, name, created_at) VALUES (?, ?, ?)')
        .run([id, name, new Date().toISOString()]);
      this.#include(id, trackIds);
    })();
    this.#announce('sets');
    return this.#get(id);
  }

  /** @throws EngineError `not-found`; `bad-input` for a name that is taken */
  rename(setId: string, name: string): TrackSet {
    this.#get(setId);
    this.#requireFree(name, setId);
    this.#db.prepare('UPDATE track_sets SET name = ? WHERE id = ?').run([name, setId]);
    this.#announce('sets');
    return this.#get(setId);
  }

  /** @returns the tracks it had. @throws EngineError `not-found` */
  remove(setId: string): string[] {
    const trackIds = this.tracks(setId);
    this.#db.transaction(() => {
      this.#db.prepare('DELETE FROM track_set_members WHERE set_id = ?').run([setId]);
      this.#db.prepare('DELETE FROM track_sets WHERE id = ?').run([setId]);
    })();
    this.#announce('sets');
    return trackIds;
  }

  /**
   * Puts tracks into a set, or takes them out.
   * @returns those for which that changed something
   * @throws EngineError `not-found` for the set, or a track that is to be put in
   */
  change(setId: string, trackIds: readonly string[], include: boolean): string[] {
    const before = new Set(this.tracks(setId));
    const changed = [...new Set(trackIds)].filter((id) => before.has(id) !== include);
    this.#db.transaction(() => {
      if (include) this.#include(setId, changed);
      else
        this.#db
          .prepare(
            'DELETE FROM track_set_members WHERE set_id = ? AND track_id IN (SELECT value FROM json_each(?))',
          )
          .run([setId, JSON.stringify(changed)]);
    })();
    if (changed.length > 0) this.#announce('sets');
    return changed;
  }

  #include(setId: string, trackIds: readonly string[]): void {
    const wanted = [...new Set(trackIds)];
    const { changes } = this.#db
      .prepare(
        `INSERT INTO track_set_members (set_id, track_id)
          SELECT ?, t.id FROM tracks t WHERE t.kind = 'file' AND t.id IN (SELECT value FROM json_each(?))`,
      )
      .run([setId, JSON.stringify(wanted)]);
    if (changes < wanted.length)
      throw new EngineError(
        'not-found',
        `${wanted.length - changes} of ${wanted.length} tracks are not in this library.`,
        'They may have been removed: select anew.',
      );
  }

  #get(setId: string): TrackSet {
    const found = this.list().find(({ id }) => id === setId);
    if (found) return found;
    throw new EngineError('not-found', 'There is no such set.', 'It may have been removed.');
  }

  #requireFree(name: string, own: string | null): void {
    if (!this.list().some((set) => set.name === name && set.id !== own)) return;
    throw new EngineError(
      'bad-input',
      `A set is called “${name}” already.`,
      'Give this one another name, or add the tracks to that set.',
    );
  }
}
