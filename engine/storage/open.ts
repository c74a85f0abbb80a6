import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EngineError } from '../api/errors.ts';
import { newestSoundBackup } from './backups.ts';
import { requireCacheFolder } from './cache-place.ts';
import { checkQuickly, checkSchema } from './check.ts';
import { Database, suspicion } from './database.ts';
import { hasRoom, ifRoom, isDamage, storageError } from './errors.ts';
import { migrate, schemaVersion } from './migrate.ts';
import type { Migration } from './migration.ts';
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

/** Told what was put out of the way, in a sentence for people. */
export type Note = (message: string) => void;

const silent: Note = () => undefined;

/**
 * The version is looked at before anything is written, so that a damaged or newer database stays as it is. On a full disk
 * it can be read all the same, and written as soon as there is room.
 */
function openDatabase(path: string, steps: readonly Migration[], options: { backup: boolean }): Database {
  return openAs(path, steps, { ...options, alone: !hasRoom(path) });
}

function openAs(
  path: string,
  steps: readonly Migration[],
  options: { backup: boolean; alone: boolean },
): Database {
  return prepared(path, (db) => {
    if (options.alone) db.holdAlone();
    if (options.backup) checkQuickly(db);
    const version = schemaVersion(db);
    // What is no database of ours is not made half of one.
    if (version > 0 && version < steps.length) checkSchema(db, steps.slice(0, version));
    migrate(db, steps, options);
    // Damage that is met while writing is met too late.
    checkSchema(db, steps);
    if (!options.alone) db.logAhead();
    db.exec('PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -16000');
  }).db;
}

/**
 * Opens a database that may be made anew: one that is damaged, or of a newer version, is put aside and said.
 * @param what it is, for people, and what is lost with it
 */
function openOrRenew(
  path: string,
  steps: readonly Migration[],
  what: { name: string; lost: string },
  note: Note,
): Database {
  const open = (): Database => openDatabase(path, steps, { backup: what.lost !== '' });
  try {
    return open();
  } catch (thrown) {
    const isNewer = thrown instanceof EngineError && thrown.code === 'database-newer';
    if (!isNewer && !isDamage(thrown)) throw thrown;
    const aside = putAside(path, isNewer ? 'newer' : 'damaged');
    const opened = open();
    const why = isNewer ? 'was written by a newer version of Archetone' : 'was damaged';
    note(`${what.name} ${why} and was made anew. ${what.lost}The old file is ${aside}.`);
    return opened;
  }
}

/** One file put aside is kept of each kind: these may be large. */
function putAside(path: string, why: 'newer' | 'damaged'): string {
  const aside = `${path}.${why}`;
  try {
    for (const suffix of ['', '-wal', '-shm', '-journal']) {
      rmSync(aside + suffix, { force: true });
      if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
    }
  } catch (thrown) {
    throw storageError(thrown, path);
  }
  return aside;
}

/**
 * Opens (or creates) the database of jobs. A damaged one, or one of a newer version, is put aside: no library may be out
 * of reach because a list of jobs is.
 */
export function openJobsDatabase(dataFolder: string, note: Note = silent): Database {
  const what = {
    name: 'The list of jobs',
    lost: 'Jobs that were under way do not go on by themselves. ',
  };
  return openOrRenew(join(dataFolder, 'jobs.db'), migrations.jobs, what, note);
}

function prepareCache(path: string, note: Note): void {
  const what = { name: 'The cache of a library', lost: '' };
  const say: Note = (message) =>
    note(`${message} Nothing of yours was in it: import again, and the embeddings are computed anew.`);
  if (existsSync(suspicion(path))) {
    // Damage inside a file of gigabytes is met while reading; it was written down then.
    const aside = putAside(path, 'damaged');
    rmSync(suspicion(path), { force: true });
    say(`The cache of a library was damaged and was made anew. The old file is ${aside}.`);
  }
  openOrRenew(path, migrations.cache, what, say).close();
}

/** A full disk has no room for mending or moving a cache to a newer version: it is read as it is, or not at all. */
function attachAlone(db: Database, path: string): void {
  db.attachCache(path);
  const version = db.prepare<{ user_version: number }>('PRAGMA cache.user_version').get()?.user_version;
  if (version !== migrations.cache.length)
    throw storageError(Object.assign(new Error('cache to be updated'), { code: 'ENOSPC' }), path);
}

function openOwn(path: string): Database {
  try {
    return openDatabase(path, migrations.library, { backup: true });
  } catch (thrown) {
    const error = storageError(thrown, path);
    if (!isDamage(error)) throw error;
    throw new EngineError(error.code, error.message, wayBack(path), { cause: error.cause });
  }
}

/** Tells people when nothing can be written to the data folder now. */
export function noteFullDisk(dataFolder: string, note: Note): void {
  if (hasRoom(join(dataFolder, 'libraries'))) return;
  note(
    `The disk that holds ${dataFolder} is full. Libraries can be looked at and removed; nothing else is kept until there is room again.`,
  );
}

/** What to do about a damaged database: the newest backup that is sound, with its date. */
export function wayBack(path: string): string {
  const backup = newestSoundBackup(path);
  if (backup === null)
    return 'It was left as it is, and it has no backup: remove the library and import its folder again, or put a copy of your own in its place.';
  const at = backup.at.toISOString().slice(0, 16).replace('T', ' ');
  return `It was left as it is. Restore its backup of ${at} UTC, on the page of libraries or with “archetone restore”: ${backup.path}`;
}

/**
 * Opens (or creates) the databases of one library: `library.db`, with `cache.db` attached as `cache`.
 * @throws EngineError `database`, `database-newer`, `disk-full`; the files are then as they were
 */
export function openLibraryDatabases(folder: string, note: Note = silent): Database {
  const db = openOwn(join(folder, 'library.db'));
  try {
    const cache = join(requireCacheFolder(folder), 'cache.db');
    if (!db.isAlone) {
      prepareCache(cache, note);
      db.attachCache(cache);
      db.logAhead('cache');
    } else attachAlone(db, cache);
    // The cache may lose its last seconds when the power fails; it must not slow down what may not.
    db.exec('PRAGMA cache.synchronous = NORMAL; PRAGMA cache.cache_size = -32000');
    ifRoom(() => settleSpaces(db));
    return db;
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}
