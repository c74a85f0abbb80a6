import { statSync, writeFileSync } from 'node:fs';
import Libsql from 'libsql';
import { EngineError } from '../api/errors.ts';
import { copyFileWatched, type Watch } from '../files/copy-file.ts';
import { isDamage, storageError } from './errors.ts';

export type SqlValue = string | number | bigint | null | Uint8Array;

/** A prepared statement. Parameters are always one array: the driver takes a lone typed array for a list. */
export interface Statement<Row> {
  all(parameters?: readonly SqlValue[]): Row[];
  get(parameters?: readonly SqlValue[]): Row | undefined;
  /** `changes`: rows changed. */
  run(parameters?: readonly SqlValue[]): { changes: number };
}

/** A log of so many pages is carried over into its database (SQLite's own default). */
const PAGES_OF_LOG = 1000;
/** Changes no table. */
const TRANSACTION = /^\s*(BEGIN|COMMIT|ROLLBACK|PRAGMA)\b/i;
const WRITE =
  /^\s*(?:(?:INSERT|REPLACE)(?:\s+OR\s+\w+)?\s+INTO|UPDATE(?:\s+OR\s+\w+)?|DELETE\s+FROM)\s+(?:\w+\.)?(\w+)/i;
const READ = /^\s*(SELECT|PRAGMA|VACUUM|ATTACH)\b/i;

/** Counts the writes of every table by the statements that are run. */
class TableRevisions {
  readonly #counts = new Map<string, number>();
  #all = 0;

  /** What to call before a statement is run. */
  of(sql: string): () => void {
    const table = WRITE.exec(sql)?.[1];
    if (table !== undefined) return () => this.#counts.set(table, (this.#counts.get(table) ?? 0) + 1);
    return READ.test(sql) ? () => undefined : () => this.touchAll();
  }

  touchAll(): void {
    this.#all++;
  }

  sum(tables: readonly string[]): number {
    return tables.reduce((sum, table) => sum + (this.#counts.get(table) ?? 0), this.#all);
  }
}

/** Lies beside a cache in which damage was met. */
export const suspicion = (cachePath: string): string => `${cachePath}.suspect`;

/** The bytes of a number array, for a blob column. */
export function toBlob(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/**
 * One SQLite connection. Blobs are read as `ArrayBuffer` (so `new Float32Array(row.vectors)` copies nothing).
 * Everything it throws is an EngineError: `disk-full`, `database`, `library-busy` or `internal`.
 */
export class Database {
  readonly path: string;
  readonly #connection: Libsql.Database;
  readonly #statements = new Map<string, Statement<unknown>>();
  readonly #writes = new TableRevisions();
  /** Databases of this connection that it made write to a log. */
  readonly #logged = new Set<string>();
  #copying: Promise<unknown> = Promise.resolve();
  #alone = false;
  #cache: string | null = null;
  #cacheDamaged = false;

  constructor(path: string) {
    this.path = path;
    this.#connection = this.#guard(() => new Libsql(path, { timeout: 2 }));
  }

  /** Statements are kept and reused, so SQL text must not carry values. */
  prepare<Row = Record<string, unknown>>(sql: string): Statement<Row> {
    const known = this.#statements.get(sql);
    // The row type is the caller's statement about its own SQL.
    if (known) return known as Statement<Row>;
    const prepared = this.#guard(() => this.#connection.prepare(sql));
    const touch = this.#writes.of(sql);
    // A write may give rows, too (RETURNING).
    const writes = WRITE.test(sql);
    const all = (parameters: readonly SqlValue[]): Row[] => {
      if (writes) touch();
      return this.#guard(() => prepared.all([...parameters]) as Row[]);
    };
    const statement: Statement<Row> = {
      all: (parameters = []) => all(parameters),
      // Not the driver's own `get`: it gives blobs as Buffer, and a field of its own.
      get: (parameters = []) => all(parameters)[0],
      run: (parameters = []) => {
        touch();
        return this.#guard(() => prepared.run([...parameters]));
      },
    };
    this.#statements.set(sql, statement);
    return statement;
  }

  /** Runs several statements that give no rows. */
  exec(sql: string): void {
    if (!TRANSACTION.test(sql)) this.#writes.touchAll();
    this.#guard(() => this.#connection.exec(sql));
  }

  /**
   * Makes a function that runs `body` in a transaction: all of it is kept or, when it throws, none.
   * May be nested; the outermost decides.
   */
  transaction<T>(body: () => T): () => T {
    return () => {
      if (this.#inTransaction()) return body();
      this.exec('BEGIN IMMEDIATE');
      try {
        const result = body();
        this.exec('COMMIT');
        return result;
      } catch (thrown) {
        // A full disk makes SQLite roll back by itself.
        if (this.#inTransaction()) this.exec('ROLLBACK');
        // What was read inside holds no more.
        this.#writes.touchAll();
        throw thrown;
      }
    };
  }

  /**
   * A number that grows whenever one of these tables may have been written through this connection, which is the only
   * one that writes: what was derived from them holds as long as it stays. Rows that go by a cascade count for the table
   * they hang on.
   */
  revision(...tables: string[]): number {
    return this.#writes.sum(tables);
  }

  /**
   * Closes the connection and leaves whole files: the driver cannot end its prepared statements, which would hold the
   * connection and with it `-wal` files until they are collected. Without a write-ahead log a copy of the file is a copy
   * of everything.
   */
  close(): void {
    if (!this.#connection.open) return;
    if (this.#inTransaction()) this.exec('ROLLBACK');
    for (const schema of this.#alone ? this.#schemas() : this.#logged) this.#endLog(schema);
    if (this.#alone) this.#letOthersIn();
    this.#statements.clear();
    this.#connection.close();
  }

  /** Writes of a database go to a log first, which ends with the connection. @param schema `main` or an attached one */
  logAhead(schema = 'main'): void {
    this.prepare(`PRAGMA "${schema}".journal_mode = WAL`).all();
    this.#logged.add(schema);
  }

  /**
   * Keeps the index of the log in memory instead of a file beside it, for which a full disk has no room; no other
   * connection can use the database then. To be called before anything is read of it, or attached to it.
   */
  holdAlone(): void {
    this.prepare('PRAGMA locking_mode = EXCLUSIVE').all();
    this.#alone = true;
  }

  get isAlone(): boolean {
    return this.#alone;
  }

  /**
   * Copies the database's file as it is now, while this connection goes on writing to its log: nothing is carried over
   * from the log into the file before the copy is there. Holds only because no other process works on the data folder.
   * @param schema `cache`: the attached cache
   * @throws EngineError `disk-full`, `database`
   */
  async copyTo(path: string, schema: 'main' | 'cache' = 'main', watch: Watch = {}): Promise<void> {
    // One at a time: the first that ends would let the log be carried over.
    const copy = this.#copying.then(() => this.#copyWhole(path, schema, watch));
    this.#copying = copy.catch(() => undefined);
    return copy;
  }

  /** Size of a database's file; what is in its log comes on top. */
  bytes(schema: 'main' | 'cache'): number {
    return statSync(this.#fileOf(schema), { throwIfNoEntry: false })?.size ?? 0;
  }

  #fileOf(schema: 'main' | 'cache'): string {
    return schema === 'main' ? this.path : (this.#cache ?? this.path);
  }

  async #copyWhole(path: string, schema: 'main' | 'cache', watch: Watch): Promise<void> {
    const file = this.#fileOf(schema);
    // The disk may have been full when it was opened.
    if (!this.#logged.has(schema)) this.logAhead(schema);
    this.prepare('PRAGMA wal_autocheckpoint = 0').all();
    try {
      const [carried] = this.prepare<{ busy: number }>(`PRAGMA ${schema}.wal_checkpoint(TRUNCATE)`).all();
      if (carried?.busy === 0) await copyFileWatched(file, path, watch);
      else this.prepare(`VACUUM ${schema} INTO ?`).run([path]);
      // Closing carries the log over into the file: what was copied may be half of either.
      if (!this.#connection.open) throw new Error('the database was closed while it was copied');
    } catch (thrown) {
      watch.signal?.throwIfAborted();
      throw storageError(thrown, path);
    } finally {
      if (this.#connection.open) this.prepare(`PRAGMA wal_autocheckpoint = ${PAGES_OF_LOG}`).all();
    }
  }

  #endLog(schema: string): void {
    try {
      this.prepare(`PRAGMA "${schema}".journal_mode = DELETE`).all();
    } catch {
      // A full disk, a file that is gone or read-only: the log stays, and is read at the next start.
    }
  }

  /** A lock would be held until the connection is collected. */
  #letOthersIn(): void {
    try {
      this.prepare('PRAGMA locking_mode = NORMAL').all();
      for (const schema of this.#schemas())
        this.prepare(`SELECT 1 FROM "${schema}".sqlite_schema LIMIT 1`).all();
    } catch {
      // As in `#endLog`.
    }
  }

  #schemas(): string[] {
    return this.#cache === null ? ['main'] : ['main', 'cache'];
  }

  #inTransaction(): boolean {
    return this.#connection.inTransaction;
  }

  /** Attaches a database that holds nothing but what can be computed again, as `cache`. */
  attachCache(path: string): void {
    this.prepare('ATTACH DATABASE ? AS cache').run([path]);
    this.#cache = path;
  }

  /** Damage was met in the cache: it is made anew when this library is opened again. */
  get cacheDamaged(): boolean {
    return this.#cacheDamaged;
  }

  #guard<T>(body: () => T): T {
    try {
      return body();
    } catch (thrown) {
      throw this.#cache !== null && isDamage(thrown) && this.#isSoundItself()
        ? this.#suspectCache(this.#cache, thrown)
        : storageError(thrown, this.path);
    }
  }

  /** Which of two files is damaged SQLite does not say. */
  #isSoundItself(): boolean {
    try {
      const [found] = this.#connection.prepare('PRAGMA main.quick_check(1)').all() as {
        quick_check: string;
      }[];
      return found?.quick_check === 'ok';
    } catch {
      return false;
    }
  }

  #suspectCache(path: string, cause: unknown): EngineError {
    this.#cacheDamaged = true;
    try {
      writeFileSync(suspicion(path), '');
    } catch {
      // Then it is met again.
    }
    return new EngineError(
      'database',
      `The cache ${path} is damaged.`,
      'Nothing of yours is in it. It is made anew now: try again, and import again to compute the embeddings anew.',
      { cause },
    );
  }
}
