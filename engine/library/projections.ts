import type { Projection } from '../api/projection.ts';
import { toBlob } from '../storage/database.ts';
import type { Database } from '../storage/database.ts';

/** Maps kept in the cache; older ones are forgotten. */
const KEPT = 32;

/** What of a map does not follow from what it was asked for. */
export type StoredProjection = Pick<Projection, 'x' | 'y' | 'prototypes' | 'trust' | 'explained'>;

interface ProjectionRow {
  x: ArrayBuffer;
  y: ArrayBuffer;
  prototypes: number;
  trust: number;
  explained: string | null;
}

/** The maps of a library that were worked out lately, by what went into them. */
export class ProjectionRepository {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Null when it is not there (any more). */
  find(id: string): StoredProjection | null {
    const row = this.#db
      .prepare<ProjectionRow>('SELECT x, y, prototypes, trust, explained FROM cache.projections WHERE id = ?')
      .get([id]);
    if (!row) return null;
    return {
      x: new Float32Array(row.x),
      y: new Float32Array(row.y),
      prototypes: row.prototypes,
      trust: row.trust,
      // Written by `put`.
      explained: row.explained === null ? null : (JSON.parse(row.explained) as [number, number]),
    };
  }

  put(id: string, { x, y, prototypes, trust, explained }: StoredProjection): void {
    this.#db.transaction(() => {
      this.#db
        .prepare(
          `INSERT OR REPLACE INTO cache.projections (id, x, y, prototypes, trust, explained) VALUES (?, ?, ?, ?, ?, ?)`,
        )
        .run([
          id,
          toBlob(x),
          toBlob(y),
          prototypes,
          trust,
          explained === null ? null : JSON.stringify(explained),
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
