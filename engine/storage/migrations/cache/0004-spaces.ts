import { spaceKey } from '../../../../models/embeddings/space.ts';
import type { Database } from '../../database.ts';

/**
 * One table of embeddings, keyed by space and track, in place of one for the settings in force and one for all others.
 * What the keys stand for is left in `found_spaces` for the library's own database to take over (`settleSpaces`).
 * A row counts while its content is that of its track. The second index answers which tracks are ready without
 * touching the vectors. Maps name their space too; null: of a data set file.
 */
export function up(db: Database): void {
  db.exec(`
DROP TRIGGER keep_embeddings;
DROP INDEX embeddings_by_content;
ALTER TABLE embeddings RENAME TO earlier_embeddings;

CREATE TABLE embeddings (
  space TEXT NOT NULL,
  track_id TEXT NOT NULL,
  content_hash TEXT NOT NULL,
  dim INTEGER NOT NULL,
  count INTEGER NOT NULL,
  window_index BLOB NOT NULL,
  start_seconds BLOB NOT NULL,
  window_seconds BLOB NOT NULL,
  vectors BLOB NOT NULL,
  PRIMARY KEY (space, track_id)
) STRICT;

CREATE INDEX embeddings_by_track ON embeddings (space, track_id, content_hash, count, dim);
CREATE INDEX embeddings_by_content ON embeddings (content_hash, space);

CREATE TABLE found_spaces (
  key TEXT PRIMARY KEY,
  pack_sha256 TEXT NOT NULL,
  windows TEXT NOT NULL,
  used INTEGER NOT NULL
) STRICT;

DELETE FROM projections;
ALTER TABLE projections ADD COLUMN space TEXT;
`);
  const columns = 'track_id, content_hash, dim, count, window_index, start_seconds, window_seconds, vectors';
  for (const table of ['earlier_embeddings', 'kept_embeddings']) {
    const spaces = db
      .prepare<{ pack_sha256: string; windows: string; used: number }>(
        `SELECT pack_sha256, windows, COUNT(*) AS used FROM ${table} GROUP BY pack_sha256, windows`,
      )
      .all();
    for (const { pack_sha256: packSha256, windows, used } of spaces) {
      // Keys were made of the pack's hash then.
      const key = spaceKey({
        encoderSha256: packSha256,
        windows: windows === 'all' ? 'all' : Number(windows),
        deformation: null,
      });
      db.prepare(
        'INSERT OR IGNORE INTO found_spaces (key, pack_sha256, windows, used) VALUES (?, ?, ?, ?)',
      ).run([...[key, packSha256, windows], table === 'earlier_embeddings' ? used : 0]);
      // What was in force came first: a kept row of the same space is older.
      db.prepare(
        `INSERT OR IGNORE INTO embeddings (space, ${columns})
           SELECT ?, ${columns} FROM ${table} WHERE pack_sha256 = ? AND windows = ?`,
      ).run([key, packSha256, windows]);
    }
  }
  db.exec('DROP TABLE earlier_embeddings; DROP TABLE kept_embeddings;');
}
