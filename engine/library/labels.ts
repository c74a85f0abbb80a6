import type { Database } from '../storage/database.ts';

/** Labels of some tracks, or of all, by track id and in the order of their source. */
export function readLabels(
  db: Database,
  taxonomyId: string,
  trackIds?: readonly string[],
): Map<string, string[]> {
  const only = trackIds ? 'AND track_id IN (SELECT value FROM json_each(?))' : '';
  const rows = db
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
