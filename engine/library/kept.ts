import type { Database } from '../storage/database.ts';

/** Values worked out from tables, kept until one of these is written; what was not asked for longest goes first. */
export class Kept<Key, Value> {
  readonly #db: Database;
  readonly #tables: readonly string[];
  readonly #size: number;
  readonly #values = new Map<Key, { revision: number; value: Value }>();

  constructor(db: Database, tables: readonly string[], size: number) {
    this.#db = db;
    this.#tables = tables;
    this.#size = size;
  }

  get(key: Key, make: () => Value): Value {
    const revision = this.#db.revision(...this.#tables);
    const known = this.#values.get(key);
    const value = known?.revision === revision ? known.value : make();
    this.#values.delete(key);
    this.#values.set(key, { revision, value });
    for (const old of this.#values.keys()) {
      if (this.#values.size <= this.#size) break;
      this.#values.delete(old);
    }
    return value;
  }

  /** What is kept, if it holds still; nothing is worked out. */
  known(key: Key): Value | undefined {
    const known = this.#values.get(key);
    return known?.revision === this.#db.revision(...this.#tables) ? known.value : undefined;
  }

  values(): Value[] {
    return [...this.#values.values()].map(({ value }) => value);
  }

  clear(): void {
    this.#values.clear();
  }
}
