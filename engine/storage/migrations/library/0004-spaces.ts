import { spaceKey } from '../../../../models/embeddings/space.ts';
import type { Database } from '../../database.ts';

/**
 * Embedding spaces. A track describes its file only (`file_state`); whether it is ready is whether the cache has a row
 * of the library's current space. Experiments, reductions and studies name the space they were made in; its windows
 * were not written down before, so they get those the library has now. `library.space` is empty until `settleSpaces`
 * has seen the cache, where the embeddings of the tracks that are ready tell it; until then the one space without a
 * pack's hash keeps the settings.
 */
export function up(db: Database): void {
  db.exec(`
CREATE TABLE spaces (
  key TEXT PRIMARY KEY,
  pack_id TEXT NOT NULL,
  pack_sha256 TEXT NOT NULL,
  windows TEXT NOT NULL,
  deformation TEXT
) STRICT;

ALTER TABLE library ADD COLUMN space TEXT REFERENCES spaces(key);
ALTER TABLE experiments ADD COLUMN space TEXT REFERENCES spaces(key);
ALTER TABLE reductions ADD COLUMN space TEXT REFERENCES spaces(key);
ALTER TABLE studies ADD COLUMN space TEXT REFERENCES spaces(key);
`);
  const library = db.prepare<{ pack_id: string; windows: string }>('SELECT * FROM library').get();
  if (library) nameSpaces(db, library);
  db.exec(`
ALTER TABLE tracks ADD COLUMN file_state TEXT NOT NULL DEFAULT 'present'
  CHECK (file_state IN ('present', 'failed', 'missing'));
UPDATE tracks SET file_state = state WHERE state IN ('failed', 'missing');
DROP INDEX tracks_by_state;
DROP INDEX tracks_by_windows;
ALTER TABLE tracks DROP COLUMN state;
ALTER TABLE tracks DROP COLUMN window_count;

ALTER TABLE library DROP COLUMN pack_id;
ALTER TABLE library DROP COLUMN windows;
ALTER TABLE experiments DROP COLUMN pack_id;
ALTER TABLE experiments DROP COLUMN pack_sha256;
ALTER TABLE reductions DROP COLUMN pack_id;
ALTER TABLE reductions DROP COLUMN pack_sha256;
ALTER TABLE studies DROP COLUMN pack_id;
ALTER TABLE studies DROP COLUMN pack_sha256;
`);
}

function nameSpaces(db: Database, library: { pack_id: string; windows: string }): void {
  const windows = library.windows === 'all' ? 'all' : Number(library.windows);
  const add = (packId: string, packSha256: string): string => {
    // Keys were made of the pack's hash then.
    const key = spaceKey({ encoderSha256: packSha256, windows, deformation: null });
    db.prepare(
      'INSERT OR IGNORE INTO spaces (key, pack_id, pack_sha256, windows, deformation) VALUES (?, ?, ?, ?, NULL)',
    ).run([key, packId, packSha256, library.windows]);
    return key;
  };
  // Data set files have no pack, and so no space.
  const packs = db
    .prepare<{ pack_id: string; pack_sha256: string }>(
      `SELECT pack_id, pack_sha256 FROM experiments UNION SELECT pack_id, pack_sha256 FROM reductions
        UNION SELECT pack_id, pack_sha256 FROM studies`,
    )
    .all();
  for (const { pack_id: packId, pack_sha256: packSha256 } of packs) {
    if (packSha256 === '') continue;
    const key = add(packId, packSha256);
    for (const table of ['experiments', 'reductions', 'studies'])
      db.prepare(`UPDATE ${table} SET space = ? WHERE pack_sha256 = ?`).run([key, packSha256]);
  }
  const unsettled = add(library.pack_id, '');
  const ready = db.prepare(`SELECT 1 FROM tracks WHERE state = 'ready' LIMIT 1`).get();
  if (!ready) db.prepare('UPDATE library SET space = ?').run([unsettled]);
}
