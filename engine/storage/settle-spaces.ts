import type { Database } from './database.ts';

/**
 * Finishes the step to embedding spaces, for which both databases are needed: the library's takes over what the keys in
 * its cache stand for, and a library whose tracks were ready gets the space of their embeddings. Where the cache is gone
 * the library keeps its settings, without a pack's hash until the pack is used again.
 * @param db a library's database with its cache attached
 */
export function settleSpaces(db: Database): void {
  db.transaction(() => {
    const found = `SELECT 1 FROM cache.sqlite_schema WHERE type = 'table' AND name = 'found_spaces'`;
    if (db.prepare(found).get()) takeOver(db);
    db.prepare(
      `UPDATE library SET space = (SELECT key FROM spaces WHERE pack_sha256 = '') WHERE space IS NULL`,
    ).run();
  })();
}

function takeOver(db: Database): void {
  // A pack's name is known from what was made with it; the space in use has the library's own.
  db.prepare(
    `INSERT OR IGNORE INTO spaces (key, pack_id, pack_sha256, windows, deformation)
       SELECT f.key,
              coalesce((SELECT s.pack_id FROM spaces s WHERE s.pack_sha256 = f.pack_sha256 LIMIT 1),
                       (SELECT s.pack_id FROM spaces s, library
                         WHERE f.used > 0 AND library.space IS NULL AND s.pack_sha256 = ''), ''),
              f.pack_sha256, f.windows, NULL
         FROM cache.found_spaces f`,
  ).run();
  db.prepare(
    `UPDATE library SET space = (
       SELECT s.key FROM cache.found_spaces f JOIN spaces s ON s.key = f.key
         JOIN spaces wanted ON wanted.pack_sha256 = '' AND wanted.pack_id = s.pack_id AND wanted.windows = s.windows
        WHERE f.used > 0 ORDER BY f.used DESC LIMIT 1)
      WHERE space IS NULL`,
  ).run();
  db.exec('DROP TABLE cache.found_spaces');
}
