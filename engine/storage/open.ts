import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EngineError } from '../api/errors.ts';
import { Database } from './database.ts';
import { isDamage, storageError } from './errors.ts';
import { migrate, newestBackup } from './migrate.ts';
import type { Migration } from './migrate.ts';
import { migrations } from './migrations/index.ts';
import { settleSpaces } from './settle-spaces.ts';

function prepared<T>(path: string, body: (db: Database) => T): { db: Database; value: T } {
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (thrown) {
    throw storageError(thrown, path);
  }
  const db = new Database(path);
  try {
    return { db, value: body(db) };
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

/** Damage that is met while writing is met too late. */
function expectSound(db: Database): void {
  const found = db.prepare<{ quick_check: string }>('PRAGMA quick_check(1)').get();
  if (found !== undefined && found.quick_check !== 'ok') {
    throw storageError(Object.assign(new Error(found.quick_check), { code: 'SQLITE_CORRUPT' }), db.path);
  }
}

/** The version is looked at before anything is written, so that a damaged or newer database stays as it is. */
function openDatabase(path: string, steps: readonly Migration[], options: { backup: boolean }): Database {
  return prepared(path, (db) => {
    if (options.backup) expectSound(db);
    migrate(db, steps, options);
    db.logAhead();
    db.exec('PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -16000');
  }).db;
}

/**
 * Opens (or creates) the database of jobs. A damaged one is put aside: no library may be out of reach because a list of
 * jobs is.
 */
export function openJobsDatabase(dataFolder: string): Database {
  const path = join(dataFolder, 'jobs.db');
  const open = (): Database => openDatabase(path, migrations.jobs, { backup: true });
  try {
    return open();
  } catch (thrown) {
    if (!isDamage(thrown)) throw thrown;
    renameSync(path, `${path}.damaged-${Date.now()}`);
    discard(path);
    return open();
  }
}

/** Removes a database file with its journal. */
function discard(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true });
}

function prepareCache(path: string): void {
  const open = (): void => openDatabase(path, migrations.cache, { backup: false }).close();
  try {
    open();
  } catch (thrown) {
    // Everything in it can be computed again: a damaged cache, or one of a newer version, is simply made anew.
    const isNewer = thrown instanceof EngineError && thrown.code === 'database-newer';
    if (!isNewer && !isDamage(thrown)) throw thrown;
    discard(path);
    open();
  }
}

function openOwn(path: string): Database {
  try {
    return openDatabase(path, migrations.library, { backup: true });
  } catch (thrown) {
    const error = storageError(thrown, path);
    const backup = isDamage(error) ? newestBackup(path) : null;
    if (backup === null) throw error;
    throw new EngineError(
      error.code,
      error.message,
      `It was left as it is. Its newest backup is ${backup}: put a copy of that in its place.`,
      { cause: error.cause },
    );
  }
}

/**
 * Opens (or creates) the databases of one library: `library.db`, with `cache.db` attached as `cache`.
 * @throws EngineError `database`, `database-newer`, `disk-full`; the files are then as they were
 */
export function openLibraryDatabases(folder: string): Database {
  const db = openOwn(join(folder, 'library.db'));
  try {
    const cache = join(folder, 'cache.db');
    prepareCache(cache);
    db.prepare('ATTACH DATABASE ? AS cache').run([cache]);
    db.logAhead('cache');
    // The cache may lose its last seconds when the power fails; it must not slow down what may not.
    db.exec('PRAGMA cache.synchronous = NORMAL; PRAGMA cache.cache_size = -32000');
    settleSpaces(db);
    return db;
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}
