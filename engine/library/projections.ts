import type { Projection, ProjectionPoint } from '../api/projection.ts';
import { toBlob, type Database } from '../storage/database.ts';
import type { SpaceRepository } from './spaces.ts';

/** Maps kept in the cache; older ones are forgotten. */
const KEPT = 32;

type StoredProjection = Omit<Projection, 'method' | 'level'>;

interface ProjectionRow {
  x: ArrayBuffer;
  y: ArrayBuffer;
  points: string;
  trust: number;
  explained: string | null;
  space: string | null;
}

/** The maps of a library that were worked out lately, by what went into them. */
export class ProjectionRepository {
  readonly #db: Database;
  readonly #spaces: SpaceRepository;

  constructor(db: Database, spaces: SpaceRepository) {
    this.#db = db;
    this.#spaces = spaces;
  }

  /** Null when it is not there (any more). */
  find(id: string): StoredProjection | null {
    const row = this.#db
      .prepare<ProjectionRow>(
        'SELECT x, y, points, trust, explained, space FROM cache.projections WHERE id = ?',
      )
      .get([id]);
    if (!row) return null;
    // Written by `put`.
    return {
      x: new Float32Array(row.x),
      y: new Float32Array(row.y),
      points: JSON.parse(row.points) as ProjectionPoint[],
      trust: row.trust,
      space: row.space === null ? null : this.#spaces.get(row.space),
      explained: row.explained === null ? null : (JSON.parse(row.explained) as [number, number]),
    };
  }

  put(id: string, projection: StoredProjection): void {
    this.#db.transaction(() => {
      this.#db
        .prepare(
          `INSERT OR REPLACE INTO cache.projections (id, x, y, points, trust, explained, space)
             VALUES (?, ?, ?, ?, ?, ?, ?)`,
        )
        .run([
          id,
          toBlob(projection.x),
          toBlob(projection.y),
          JSON.stringify(projection.points),
          projection.trust,
          projection.explained === null ? null : JSON.stringify(projection.explained),
          projection.space?.key ?? null,
        ]);
      this.#db
        .prepare(
          `DELETE FROM cache.projections WHERE rowid NOT IN
             (SELECT rowid FROM cache.projections ORDER BY rowid DESC LIMIT ?)`,
        )
        .run([KEPT]);
    })();
  }
}
