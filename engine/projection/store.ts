import type { Projection, ProjectionPoint } from '../api/domain.ts';
import type { Library } from '../library/library.ts';
import { toBlob } from '../storage/database.ts';

/** Maps kept in the cache; older ones are forgotten. */
const KEPT = 32;

type StoredProjection = Omit<Projection, 'method' | 'level'>;

export function loadProjection(library: Library, id: string): StoredProjection | null {
  const row = library.db
    .prepare<{
      x: ArrayBuffer;
      y: ArrayBuffer;
      points: string;
      trust: number;
      explained: string | null;
      space: string | null;
    }>('SELECT x, y, points, trust, explained, space FROM cache.projections WHERE id = ?')
    .get([id]);
  if (!row) return null;
  return {
    x: new Float32Array(row.x),
    y: new Float32Array(row.y),
    points: JSON.parse(row.points) as ProjectionPoint[],
    trust: row.trust,
    space: row.space === null ? null : library.spaces.get(row.space),
    explained: row.explained === null ? null : (JSON.parse(row.explained) as [number, number]),
  };
}

export function storeProjection(library: Library, id: string, projection: StoredProjection): void {
  const { db } = library;
  db.transaction(() => {
    db.prepare(
      `INSERT OR REPLACE INTO cache.projections (id, x, y, points, trust, explained, space)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ).run([
      id,
      toBlob(projection.x),
      toBlob(projection.y),
      JSON.stringify(projection.points),
      projection.trust,
      projection.explained === null ? null : JSON.stringify(projection.explained),
      projection.space?.key ?? null,
    ]);
    db.prepare(
      `DELETE FROM cache.projections WHERE rowid NOT IN
         (SELECT rowid FROM cache.projections ORDER BY rowid DESC LIMIT ?)`,
    ).run([KEPT]);
  })();
}
