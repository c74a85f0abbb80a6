import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { EngineError } from '../api/errors.ts';
import { Database } from './database.ts';
import { storageError } from './errors.ts';

const BACKUPS_KEPT = 5;

/** One step of a schema: SQL, or what SQL alone cannot do. It runs in a transaction of its own. */
export type Migration = string | ((db: Database) => void);

/** The schema version a database has; 0 for a new, empty one. */
export function schemaVersion(db: Database): number {
  return db.prepare<{ user_version: number }>('PRAGMA user_version').get()?.user_version ?? 0;
}

/**
 * Brings a database to the newest schema, one transaction per step.
 * @param options.backup copies an existing database aside before it is changed
 * @throws EngineError `database-newer` (nothing was touched), `database`, `disk-full`
 */
export function migrate(
  db: Database,
  steps: readonly Migration[],
  options: { backup: boolean },
): { from: number; to: number; backup: string | null } {
  const from = schemaVersion(db);
  if (from > steps.length) {
    throw new EngineError(
      'database-newer',
      `The database ${db.path} was written by a newer version of Archetone (schema ${from}, this one knows ${steps.length}).`,
      'Nothing was changed. Install the newest Archetone to open it.',
    );
  }
  const pending = steps.length - from;
  const backup = options.backup && from > 0 && pending > 0 ? backUp(db, `schema-${from}`) : null;
  steps.slice(from).forEach((step, index) => {
    db.transaction(() => {
      if (typeof step === 'string') db.exec(step);
      else step(db);
      db.exec(`PRAGMA user_version = ${from + index + 1}`);
    })();
  });
  return { from, to: steps.length, backup };
}

/**
 * Writes a copy of a database into `backups/` beside it. The copy is opened and checked before it gets its name;
 * the oldest ones are dropped.
 * @returns its path
 * @throws EngineError `database`, `disk-full`
 */
export function backUp(db: Database, reason: string): string {
  const folder = join(dirname(db.path), 'backups');
  const stem = basename(db.path, '.db');
  const stamp = new Date().toISOString().replaceAll(/[:.]/g, '-');
  const path = join(folder, `${stem}-${stamp}-${reason}.db`);
  const draft = `${path}.part`;
  try {
    mkdirSync(folder, { recursive: true });
    rmSync(draft, { force: true });
    db.prepare('VACUUM INTO ?').run([draft]);
    check(draft);
    renameSync(draft, path);
    for (const old of oldBackups(folder, stem)) rmSync(join(folder, old));
    return path;
  } catch (thrown) {
    rmSync(draft, { force: true });
    throw storageError(thrown, path);
  }
}

function check(path: string): void {
  const copy = new Database(path);
  try {
    const found = copy.prepare<{ integrity_check: string }>('PRAGMA integrity_check').get();
    if (found?.integrity_check !== 'ok') {
      throw new EngineError(
        'database',
        `The backup ${path} is damaged: ${found?.integrity_check ?? 'no answer'}.`,
        'Nothing was changed. Check the disk.',
      );
    }
  } finally {
    copy.close();
  }
}

/** Path of the newest backup of a database; null when there is none. */
export function newestBackup(path: string): string | null {
  const folder = join(dirname(path), 'backups');
  const names = existsSync(folder) ? readdirSync(folder) : [];
  // Their names begin with the time.
  const name = names
    .filter((each) => each.startsWith(`${basename(path, '.db')}-`) && each.endsWith('.db'))
    .sort()
    .at(-1);
  return name === undefined ? null : join(folder, name);
}

function oldBackups(folder: string, stem: string): string[] {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const backups = names.filter((name) => name.startsWith(`${stem}-`) && name.endsWith('.db')).sort();
  return backups.slice(0, Math.max(0, backups.length - BACKUPS_KEPT));
}
