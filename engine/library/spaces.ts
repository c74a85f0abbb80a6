import type { EmbeddingSpace } from '../../models/embeddings/space.ts';
import { spaceKey } from '../../models/embeddings/space.ts';
import type { SpaceInfo } from '../api/domain.ts';
import { wayBack } from '../storage/open.ts';
import { EngineError } from '../api/errors.ts';
import type { Database } from '../storage/database.ts';

interface SpaceRow {
  key: string;
  pack_id: string;
  pack_sha256: string;
  windows: string;
  deformation: string | null;
}

/** The embedding spaces that a library, or something in it, has to do with. */
export class SpaceRepository {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The space that the library is seen in. */
  current(): SpaceInfo {
    const row = this.#db
      .prepare<SpaceRow>('SELECT s.* FROM library l JOIN spaces s ON s.key = l.space')
      .get();
    if (row) return fromRow(row);
    throw noLibrary(this.#db.path);
  }

  /** @throws EngineError `not-found` */
  get(key: string): SpaceInfo {
    const row = this.#db.prepare<SpaceRow>('SELECT * FROM spaces WHERE key = ?').get([key]);
    if (row) return fromRow(row);
    throw new EngineError('not-found', `There is no embedding space ${key} in this library.`);
  }

  /** Every space with the number of tracks embedded in it, those with most first. */
  list(): (SpaceInfo & { tracks: number })[] {
    return this.#db
      .prepare<SpaceRow & { tracks: number }>(
        `SELECT s.*, (SELECT COUNT(*) FROM cache.embeddings e WHERE e.space = s.key) AS tracks FROM spaces s
          ORDER BY tracks DESC, s.rowid`,
      )
      .all()
      .map((row) => ({ ...fromRow(row), tracks: row.tracks }));
  }

  /** Makes a space known, by the name that its pack has now. */
  add(packId: string, space: EmbeddingSpace): SpaceInfo {
    const key = spaceKey(space);
    this.#db
      .prepare(
        `INSERT INTO spaces (key, pack_id, pack_sha256, windows, deformation) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (key) DO UPDATE SET pack_id = excluded.pack_id`,
      )
      .run([key, packId, space.packSha256, String(space.windows), space.deformation]);
    const { packSha256, windows, deformation } = space;
    return { key, packId, packSha256, windows, deformation };
  }
}

function fromRow(row: SpaceRow): SpaceInfo {
  return {
    key: row.key,
    packId: row.pack_id,
    packSha256: row.pack_sha256,
    windows: row.windows === 'all' ? 'all' : Number(row.windows),
    deformation: row.deformation,
  };
}

/** The database is sound, but empty. */
export function noLibrary(path: string): EngineError {
  return new EngineError('database', `The database ${path} holds no library.`, wayBack(path));
}

/** A space in words. */
export function describeSpace({ packId, windows, deformation }: SpaceInfo): string {
  const pack = packId === '' ? 'a pack that is gone' : `pack “${packId}”`;
  const which = windows === 'all' ? 'all windows' : windows === 1 ? 'one window' : `${windows} windows`;
  return `${pack}, ${which}${deformation === null ? '' : `, ${deformation}`}`;
}

/**
 * @param what the subject of the sentence: “This experiment”
 * @throws EngineError `other-space` when the spaces differ
 */
export function expectSameSpace(what: string, its: SpaceInfo, wanted: SpaceInfo): void {
  if (its.key !== wanted.key) throw otherSpace(what, its, wanted);
}

/** Vectors of two spaces met. */
export function otherSpace(what: string, its: SpaceInfo, wanted: SpaceInfo): EngineError {
  const again = its.packId === wanted.packId && its.windows === wanted.windows;
  return new EngineError(
    'other-space',
    again
      ? `${what} was made with another version of the pack “${its.packId}”, and vectors of two versions cannot be compared.`
      : `${what} was made in another embedding space (${describeSpace(its)}) than the one in use (${describeSpace(wanted)}).`,
    again
      ? 'Import the library with this version of the pack, then make it again.'
      : 'Open the library with that pack and choice of windows, which is kept, or make it again in this one.',
  );
}
