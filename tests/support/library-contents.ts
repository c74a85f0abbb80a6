import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openLibraryDatabases } from '../../engine/storage/open.ts';

/** All that an import stores of its tracks but what differs from one import to the next (ids, times), as text. */
export function libraryContents(dataFolder: string): Record<string, unknown>[] {
  const [id = ''] = readdirSync(join(dataFolder, 'libraries'));
  return contentsOf(join(dataFolder, 'libraries', id));
}

/** The same of the folder of one library. */
export function contentsOf(libraryFolder: string): Record<string, unknown>[] {
  const db = openLibraryDatabases(libraryFolder);
  const rows = db
    .prepare(
      `SELECT t.path, t.file_state, t.problem, t.problem_detail, t.note, t.content_hash, t.duration_seconds, t.title,
              e.space, e.content_hash AS embedded, e.dim, e.count, hex(e.window_index) AS windows,
              hex(e.start_seconds) AS starts, hex(e.window_seconds) AS seconds, hex(e.vectors) AS vectors,
              e.provider, e.runtime, e.processor, p.per_second, p.duration_seconds AS peak_seconds, hex(p.peaks) AS peaks
         FROM tracks t LEFT JOIN cache.embeddings e ON e.track_id = t.id LEFT JOIN cache.peaks p ON p.track_id = t.id
        ORDER BY t.path`,
    )
    .all();
  db.close();
  return rows;
}
