import { spaceKey } from '../../models/embeddings/space.ts';
import type { SpaceInfo } from '../api/spaces.ts';
import { wayBack } from '../storage/open.ts';
import { EngineError } from '../api/errors.ts';
import type { Database } from '../storage/database.ts';

interface SpaceRow {
  key: string;
  pack_id: string;
  pack_sha256: string;
  encoder_sha256: string;
  windows: string;
  deformation: string | null;
}

/** What a space is, without its name. */
export type SpaceFacts = Omit<SpaceInfo, 'key'>;

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

  /**
   * Makes a space known, and with which pack it is used now. One that was used with another pack is the same as long as
   * both share the encoder; it keeps its key.
   */
  add(space: SpaceFacts): SpaceInfo {
    const { packId, packSha256, encoderSha256, windows, deformation } = space;
    // Without a known encoder, the pack alone makes the space.
    const key =
      this.#alike(space)?.key ??
      spaceKey({ encoderSha256: encoderSha256 === '' ? packSha256 : encoderSha256, windows, deformation });
    this.#db
      .prepare(
        `INSERT INTO spaces (key, pack_id, pack_sha256, encoder_sha256, windows, deformation) VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT (key) DO UPDATE SET pack_id = excluded.pack_id, pack_sha256 = excluded.pack_sha256,
             encoder_sha256 = excluded.encoder_sha256`,
      )
      .run([key, packId, packSha256, encoderSha256, String(windows), deformation]);
    return { key, packId, packSha256, encoderSha256, windows, deformation };
  }

  /**
   * Learns the encoders of spaces that were only known by their pack. Spaces that prove to be one become one, with all
   * that was embedded or made in either.
   * @param encoderOf the encoder of a pack by its hash; null when it is not known
   */
  identify(encoderOf: (packSha256: string) => string | null): void {
    const unknown = this.#db
      .prepare<SpaceRow>(
        `SELECT * FROM spaces WHERE encoder_sha256 = '' AND pack_sha256 <> '' ORDER BY rowid`,
      )
      .all();
    for (const row of unknown) {
      const encoderSha256 = encoderOf(row.pack_sha256);
      if (encoderSha256 === null) continue;
      this.#db.transaction(() => {
        const same = this.#withEncoder({ ...fromRow(row), encoderSha256 });
        if (same) this.#merge(row.key, same.key);
        else
          this.#db
            .prepare('UPDATE spaces SET encoder_sha256 = ? WHERE key = ?')
            .run([encoderSha256, row.key]);
      })();
    }
  }

  /** A space with the encoder, else of the pack while nobody knows its encoder. */
  #alike(space: SpaceFacts): SpaceRow | undefined {
    const known = this.#withEncoder(space);
    if (known || space.packSha256 === '') return known;
    return this.#db
      .prepare<SpaceRow>(
        `SELECT * FROM spaces WHERE pack_sha256 = ? AND encoder_sha256 = '' AND windows = ? AND deformation IS ?`,
      )
      .get([space.packSha256, String(space.windows), space.deformation]);
  }

  #withEncoder({ encoderSha256, windows, deformation }: SpaceFacts): SpaceRow | undefined {
    if (encoderSha256 === '') return undefined;
    return this.#db
      .prepare<SpaceRow>('SELECT * FROM spaces WHERE encoder_sha256 = ? AND windows = ? AND deformation IS ?')
      .get([encoderSha256, String(windows), deformation]);
  }

  /** Where a track was embedded in both, a row of its present content stays. */
  #merge(from: string, into: string): void {
    const run = (sql: string, ...keys: string[]): unknown => this.#db.prepare(sql).run(keys);
    run(
      `DELETE FROM cache.embeddings AS old WHERE space = ? AND EXISTS (
         SELECT 1 FROM tracks t JOIN cache.embeddings new ON new.space = ? AND new.track_id = t.id
          WHERE t.id = old.track_id AND new.content_hash = t.content_hash AND old.content_hash <> t.content_hash)`,
      ...[into, from],
    );
    run('UPDATE OR IGNORE cache.embeddings SET space = ? WHERE space = ?', into, from);
    run('DELETE FROM cache.embeddings WHERE space = ?', from);
    // Its key stands inside a report, too, and the other may have one: it is made again.
    run('DELETE FROM cache.mistakes WHERE space = ?', from);
    for (const { table, column } of this.#references())
      run(`UPDATE "${table}" SET "${column}" = ? WHERE "${column}" = ?`, into, from);
    run('DELETE FROM spaces WHERE key = ?', from);
  }

  /** Every column that names a space. */
  #references(): { table: string; column: string }[] {
    return this.#db
      .prepare<{ table: string; column: string }>(
        `SELECT s.name AS "table", f."from" AS "column" FROM main.sqlite_schema s, pragma_foreign_key_list(s.name) f
          WHERE s.type = 'table' AND f."table" = 'spaces'`,
      )
      .all();
  }
}

function fromRow(row: SpaceRow): SpaceInfo {
  return {
    key: row.key,
    packId: row.pack_id,
    packSha256: row.pack_sha256,
    encoderSha256: row.encoder_sha256,
    windows: row.windows === 'all' ? 'all' : Number(row.windows),
    deformation: row.deformation,
  };
}

/** The database is sound, but empty. */
export function noLibrary(path: string): EngineError {
  return new EngineError('database', `The database ${path} holds no library.`, wayBack(path));
}

/** Whether one encoder makes the vectors of both; their windows may differ. */
export function sameEncoder(a: SpaceInfo, b: SpaceInfo): boolean {
  return a.packSha256 === b.packSha256 || (a.encoderSha256 !== '' && a.encoderSha256 === b.encoderSha256);
}

/** A space in words. */
function describeSpace({ packId, windows, deformation }: SpaceInfo): string {
  const pack = packId === '' ? 'a pack that is gone' : `pack “${packId}”`;
  const which = windows === 'all' ? 'all windows' : windows === 1 ? 'one window' : `${windows} windows`;
  return `${pack}, ${which}${deformation === null ? '' : `, ${deformation}`}`;
}

/**
 * Vectors of two spaces met.
 * @param what the subject of the sentence: “This experiment”
 */
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
