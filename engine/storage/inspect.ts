import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { EngineError } from '../api/errors.ts';
import { cacheFolderOf } from './cache-place.ts';
import { listBackups } from './backups.ts';
import { checkSchema, checkSound } from './check.ts';
import { Database } from './database.ts';
import { lockDataFolder } from './lock.ts';
import { schemaVersion } from './migrate.ts';
import type { Migration } from './migration.ts';
import { migrations } from './migrations/index.ts';
import { wayBack } from './open.ts';

/** What was found out about one file of a data folder. */
export interface Inspected {
  /** Relative to the data folder. */
  file: string;
  /** What is wrong, in a sentence; null when it is whole. */
  problem: string | null;
  /** What people made is lost without it. */
  required: boolean;
  /** What to do; empty when nothing is. */
  hint: string;
}

/**
 * Reads every database of a data folder whole, and every backup, and changes none.
 * @throws EngineError `library-busy` while an engine works on the folder
 */
export function inspectData(dataFolder: string): Inspected[] {
  const unlock = lockDataFolder(dataFolder);
  try {
    const found: Inspected[] = [];
    const look = (
      file: string,
      steps: readonly Migration[] | null,
      required: boolean,
      hint: string,
    ): void => {
      const problem = problemOf(resolve(dataFolder, file), steps);
      found.push({ file, problem, required, hint: problem === null ? '' : hint });
    };
    if (existsSync(join(dataFolder, 'jobs.db')))
      look('jobs.db', migrations.jobs, false, 'It is put aside and made anew at the next start.');
    for (const id of foldersIn(join(dataFolder, 'libraries'))) {
      const folder = join('libraries', id);
      const database = join(folder, 'library.db');
      look(database, migrations.library, true, wayBack(join(dataFolder, database)));
      const cache = relative(dataFolder, join(cacheFolderOf(join(dataFolder, folder)), 'cache.db'));
      if (existsSync(resolve(dataFolder, cache)))
        look(cache, migrations.cache, false, 'Delete it: everything in it is computed anew.');
      for (const { name } of listBackups(join(dataFolder, database)))
        look(
          join(folder, 'backups', name),
          null,
          false,
          'Delete it, and make a new backup: archetone backup.',
        );
    }
    return found;
  } finally {
    unlock();
  }
}

function problemOf(path: string, steps: readonly Migration[] | null): string | null {
  if (!statSync(path, { throwIfNoEntry: false })?.size) return 'It is missing or empty.';
  let db: Database | null = null;
  try {
    db = new Database(path);
    checkSound(db);
    if (steps === null) return null;
    const version = schemaVersion(db);
    if (version > steps.length) return `It was written by a newer version of Archetone (schema ${version}).`;
    // An older one gets what it lacks when it is opened.
    if (version === steps.length) checkSchema(db, steps);
    return null;
  } catch (thrown) {
    return EngineError.from(thrown).message;
  } finally {
    db?.close();
  }
}

function foldersIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}
