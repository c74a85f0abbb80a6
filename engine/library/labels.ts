import { EngineError } from '../api/errors.ts';
import type { Database } from '../storage/database.ts';
import type { Announce } from './changes.ts';

/** Labels that a person gives a track; none takes all away. */
export interface LabelChange {
  trackId: string;
  /** Trimmed and distinct. */
  labels: readonly string[];
}

/**
 * The labels of a library's tracks in each taxonomy: what its source says, except where a person decided otherwise. The
 * first label of a track is its class in a single-label task.
 */
export class LabelRepository {
  readonly #db: Database;
  readonly #announce: Announce;

  constructor(db: Database, announce: Announce) {
    this.#db = db;
    this.#announce = announce;
  }

  /** Labels of some tracks, or of all, by track id and in the order of their source. Tracks without labels are left out. */
  of(taxonomyId: string, trackIds?: readonly string[]): Map<string, string[]> {
    const only = trackIds ? 'AND track_id IN (SELECT value FROM json_each(?))' : '';
    const rows = this.#db
      .prepare<{ track_id: string; label: string }>(
        `SELECT track_id, label FROM track_labels WHERE taxonomy_id = ? ${only} ORDER BY track_id, position`,
      )
      .all([taxonomyId, ...(trackIds ? [JSON.stringify(trackIds)] : [])]);
    const labels = new Map<string, string[]>();
    for (const row of rows) {
      const known = labels.get(row.track_id);
      if (known) known.push(row.label);
      else labels.set(row.track_id, [row.label]);
    }
    return labels;
  }

  /** What the source says of tracks where a person decided otherwise. */
  derived(taxonomyId: string): Map<string, string[]> {
    const rows = this.#db
      .prepare<{ track_id: string; derived: string }>(
        'SELECT track_id, derived FROM label_overrides WHERE taxonomy_id = ?',
      )
      .all([taxonomyId]);
    // Written by `set` and `replace`.
    return new Map(rows.map((row) => [row.track_id, JSON.parse(row.derived) as string[]]));
  }

  /** Labels that tracks have in a taxonomy, by how many have them, the most frequent first. */
  counts(taxonomyId: string): { value: string; tracks: number }[] {
    return this.#db
      .prepare<{ value: string; tracks: number }>(
        `SELECT label AS value, count(*) AS tracks FROM track_labels WHERE taxonomy_id = ?
          GROUP BY label ORDER BY tracks DESC, label`,
      )
      .all([taxonomyId]);
  }

  /** Puts what the source says in force, except where a person decided otherwise. */
  replace(taxonomyId: string, derived: ReadonlyMap<string, readonly string[]>): void {
    const overrides = this.#db
      .prepare<{ track_id: string; labels: string }>(
        'SELECT track_id, labels FROM label_overrides WHERE taxonomy_id = ?',
      )
      .all([taxonomyId]);
    const setDerived = this.#db.prepare(
      'UPDATE label_overrides SET derived = ? WHERE taxonomy_id = ? AND track_id = ?',
    );
    const effective = new Map(derived);
    for (const row of overrides) {
      setDerived.run([JSON.stringify(derived.get(row.track_id) ?? []), taxonomyId, row.track_id]);
      effective.set(row.track_id, JSON.parse(row.labels) as string[]);
    }
    this.#db.prepare('DELETE FROM track_labels WHERE taxonomy_id = ?').run([taxonomyId]);
    for (const [trackId, labels] of effective) this.#insert(taxonomyId, trackId, labels);
  }

  /**
   * Sets labels by hand. They stay when the source is read again; setting what the source says gives the track back to it.
   * @returns the labels before, in the order of the changes
   * @throws EngineError `not-found` for an unknown track; nothing is changed then
   */
  set(taxonomyId: string, changes: readonly LabelChange[]): { trackId: string; labels: string[] }[] {
    const exists = this.#db.prepare(`SELECT 1 FROM tracks WHERE id = ? AND kind = 'file'`);
    const remove = this.#db.prepare('DELETE FROM track_labels WHERE taxonomy_id = ? AND track_id = ?');
    const previous = this.#db.transaction(() => {
      const before = this.of(
        taxonomyId,
        changes.map((change) => change.trackId),
      );
      return changes.map(({ trackId, labels }) => {
        if (!exists.get([trackId])) {
          throw new EngineError('not-found', `There is no track ${trackId}.`, 'Nothing was changed.');
        }
        const previous = before.get(trackId) ?? [];
        this.#override(taxonomyId, trackId, { previous, labels });
        remove.run([taxonomyId, trackId]);
        this.#insert(taxonomyId, trackId, labels);
        before.set(trackId, [...labels]);
        return { trackId, labels: previous };
      });
    })();
    this.#announce('taxonomies');
    return previous;
  }

  #override(
    taxonomyId: string,
    trackId: string,
    change: { previous: readonly string[]; labels: readonly string[] },
  ): void {
    const known = this.#db
      .prepare<{ derived: string }>(
        'SELECT derived FROM label_overrides WHERE taxonomy_id = ? AND track_id = ?',
      )
      .get([taxonomyId, trackId]);
    // Without an override, what was in force is what the source says.
    const derived = known?.derived ?? JSON.stringify(change.previous);
    const labels = JSON.stringify(change.labels);
    if (labels === derived) {
      this.#db
        .prepare('DELETE FROM label_overrides WHERE taxonomy_id = ? AND track_id = ?')
        .run([taxonomyId, trackId]);
    } else {
      this.#db
        .prepare(
          'INSERT OR REPLACE INTO label_overrides (taxonomy_id, track_id, labels, derived) VALUES (?, ?, ?, ?)',
        )
        .run([taxonomyId, trackId, labels, derived]);
    }
  }

  #insert(taxonomyId: string, trackId: string, labels: readonly string[]): void {
    const insert = this.#db.prepare(
      // What took long to be told may be told of a track that is gone meanwhile.
      `INSERT INTO track_labels (taxonomy_id, track_id, position, label)
       SELECT ?, id, ?, ? FROM tracks WHERE id = ?`,
    );
    labels.forEach((label, position) => insert.run([taxonomyId, position, label, trackId]));
  }
}
