import Libsql from 'libsql';
import { storageError } from './errors.ts';

export type SqlValue = string | number | bigint | null | Uint8Array;

/** A prepared statement. Parameters are always one array: the driver takes a lone typed array for a list. */
export interface Statement<Row> {
  all(parameters?: readonly SqlValue[]): Row[];
  get(parameters?: readonly SqlValue[]): Row | undefined;
  /** `changes`: rows changed. */
  run(parameters?: readonly SqlValue[]): { changes: number };
}

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
    const statement: Statement<Row> = {
      all: (parameters = []) => this.#guard(() => prepared.all([...parameters]) as Row[]),
      // Not the driver's own `get`: it gives blobs as Buffer, and a field of its own.
      get: (parameters = []) => this.#guard(() => (prepared.all([...parameters]) as Row[])[0]),
      run: (parameters = []) => this.#guard(() => prepared.run([...parameters])),
    };
    this.#statements.set(sql, statement);
    return statement;
  }

  /** Runs several statements that give no rows. */
  exec(sql: string): void {
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
        throw thrown;
      }
    };
  }

  close(): void {
    this.#statements.clear();
    if (this.#connection.open) this.#connection.close();
  }

  #inTransaction(): boolean {
    return this.#connection.inTransaction;
  }

  #guard<T>(body: () => T): T {
    try {
      return body();
    } catch (thrown) {
      throw storageError(thrown, this.path);
    }
  }
}
