import { EngineError } from '../api/errors.ts';
import { readLabels } from '../library/labels.ts';
import type { Library } from '../library/library.ts';
import type { Database } from '../storage/database.ts';
import { distinct } from './labels.ts';
import type { Labelsets } from './derive.ts';

/**
 * Labelsets of a taxonomy by track id, in the order of the source: the first label is the class of a single-label task.
 * Tracks without labels are left out.
 */
export function loadLabelsets(library: Library, taxonomyId: string): Map<string, string[]> {
  return readLabels(library.db, taxonomyId);
}

/** Puts what the source says in force, except where a person decided otherwise. */
export function writeLabels(db: Database, taxonomyId: string, derived: Labelsets): void {
  const overrides = db
    .prepare<{ track_id: string; labels: string }>(
      'SELECT track_id, labels FROM label_overrides WHERE taxonomy_id = ?',
    )
    .all([taxonomyId]);
  const setDerived = db.prepare(
    'UPDATE label_overrides SET derived = ? WHERE taxonomy_id = ? AND track_id = ?',
  );
  const effective = new Map(derived);
  for (const row of overrides) {
    setDerived.run([JSON.stringify(derived.get(row.track_id) ?? []), taxonomyId, row.track_id]);
    effective.set(row.track_id, JSON.parse(row.labels) as string[]);
  }
  db.prepare('DELETE FROM track_labels WHERE taxonomy_id = ?').run([taxonomyId]);
  for (const [trackId, labels] of effective) insertLabels(db, taxonomyId, trackId, labels);
}

/**
 * Sets labels by hand. They stay when the source is read again; setting what the source says gives the track back to it.
 * @returns the labels before, in the order of the changes
 * @throws EngineError `not-found` for an unknown track; nothing is changed then
 */
export function setLabels(
  library: Library,
  taxonomyId: string,
  changes: readonly { trackId: string; labels: readonly string[] }[],
): { trackId: string; labels: string[] }[] {
  const { db } = library;
  const exists = db.prepare(`SELECT 1 FROM tracks WHERE id = ? AND kind = 'file'`);
  return db.transaction(() => {
    const before = readLabels(
      db,
      taxonomyId,
      changes.map((change) => change.trackId),
    );
    return changes.map((change) => {
      if (!exists.get([change.trackId])) {
        throw new EngineError('not-found', `There is no track ${change.trackId}.`, 'Nothing was changed.');
      }
      const previous = before.get(change.trackId) ?? [];
      const labels = distinct(change.labels);
      override(db, taxonomyId, change.trackId, { previous, labels });
      db.prepare('DELETE FROM track_labels WHERE taxonomy_id = ? AND track_id = ?').run([
        taxonomyId,
        change.trackId,
      ]);
      insertLabels(db, taxonomyId, change.trackId, labels);
      before.set(change.trackId, labels);
      return { trackId: change.trackId, labels: previous };
    });
  })();
}

function override(
  db: Database,
  taxonomyId: string,
  trackId: string,
  change: { previous: readonly string[]; labels: readonly string[] },
): void {
  const known = db
    .prepare<{ derived: string }>(
      'SELECT derived FROM label_overrides WHERE taxonomy_id = ? AND track_id = ?',
    )
    .get([taxonomyId, trackId]);
  // Without an override, what was in force is what the source says.
  const derived = known?.derived ?? JSON.stringify(change.previous);
  const labels = JSON.stringify(change.labels);
  if (labels === derived) {
    db.prepare('DELETE FROM label_overrides WHERE taxonomy_id = ? AND track_id = ?').run([
      taxonomyId,
      trackId,
    ]);
  } else {
    db.prepare(
      'INSERT OR REPLACE INTO label_overrides (taxonomy_id, track_id, labels, derived) VALUES (?, ?, ?, ?)',
    ).run([taxonomyId, trackId, labels, derived]);
  }
}

function insertLabels(db: Database, taxonomyId: string, trackId: string, labels: readonly string[]): void {
  const insert = db.prepare(
    'INSERT INTO track_labels (taxonomy_id, track_id, position, label) VALUES (?, ?, ?, ?)',
  );
  labels.forEach((label, position) => insert.run([taxonomyId, trackId, position, label]));
}
