import { Database } from './database.ts';
import { storageError } from './errors.ts';
import type { Migration } from './migration.ts';

/**
 * Reads a whole database and its indices.
 * @throws EngineError `database` when anything is not in order
 */
export function checkSound(db: Database): void {
  const found = db.prepare<{ integrity_check: string }>('PRAGMA integrity_check(1)').get();
  if (found !== undefined && found.integrity_check !== 'ok') throw damaged(db.path, found.integrity_check);
}

/** What is asked of the driver that computes on threads of its own. */
interface AsyncDriver {
  prepare(sql: string): Promise<{ all(): Promise<{ integrity_check: string }[]> }>;
  close(): void;
}

/**
 * Like `checkSound` for a file that nobody has open, off this thread: some hundred megabytes take seconds.
 * @throws EngineError `database`
 */
export async function checkFileAside(path: string): Promise<void> {
  let db: AsyncDriver | null = null;
  try {
    // Read only here: finding out which library of C it needs takes some 15 ms each time.
    const { default: AsyncLibsql } = await import('libsql/promise');
    db = new AsyncLibsql(path, {});
    const [found] = await (await db.prepare('PRAGMA integrity_check(1)')).all();
    if (found !== undefined && found.integrity_check !== 'ok') throw damaged(path, found.integrity_check);
  } catch (thrown) {
    throw storageError(thrown, path);
  } finally {
    db?.close();
  }
}

/** Like `checkSound` without comparing indices with their tables: quick enough for every opening. */
export function checkQuickly(db: Database): void {
  const found = db.prepare<{ quick_check: string }>('PRAGMA quick_check(1)').get();
  if (found !== undefined && found.quick_check !== 'ok') throw damaged(db.path, found.quick_check);
}

/**
 * Finds out at once whether a database has every table, column, index and trigger that its version has.
 * @param steps all migrations of a database that has been brought up to date
 * @throws EngineError `database` that names what is missing
 */
export function checkSchema(db: Database, steps: readonly Migration[]): void {
  const here = partsOf(db);
  // A table before its columns.
  const missing = [...expectedParts(steps)]
    .filter((part) => !here.has(part))
    .sort()
    .reverse()[0];
  if (missing !== undefined) throw damaged(db.path, `${missing} is missing`);
}

const expected = new Map<readonly Migration[], Set<string>>();

function expectedParts(steps: readonly Migration[]): Set<string> {
  const known = expected.get(steps);
  if (known) return known;
  const fresh = new Database(':memory:');
  try {
    for (const step of steps) {
      if (typeof step === 'string') fresh.exec(step);
      else step(fresh);
    }
    const parts = partsOf(fresh);
    // Handed over to the library's own database after the step that makes it (`settleSpaces`).
    for (const part of parts) if (part.includes('found_spaces')) parts.delete(part);
    expected.set(steps, parts);
    return parts;
  } finally {
    fresh.close();
  }
}

function partsOf(db: Database): Set<string> {
  const parts = db.prepare<{ part: string }>(
    `SELECT type || ' ' || name AS part FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'
     UNION SELECT 'column ' || s.name || '.' || c.name
             FROM sqlite_schema s, pragma_table_info(s.name) c WHERE s.type = 'table'`,
  );
  return new Set(parts.all().map(({ part }) => part));
}

function damaged(path: string, what: string): Error {
  return storageError(Object.assign(new Error(what), { code: 'SQLITE_CORRUPT' }), path);
}
