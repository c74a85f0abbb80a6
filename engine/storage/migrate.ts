import { EngineError } from '../api/errors.ts';
import { backUpNow } from './backups.ts';
import type { Database } from './database.ts';
import type { Migration } from './migration.ts';

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
  const backup = options.backup && from > 0 && pending > 0 ? backUpNow(db, `schema-${from}`) : null;
  steps.slice(from).forEach((step, index) => {
    db.transaction(() => {
      if (typeof step === 'string') db.exec(step);
      else step(db);
      db.exec(`PRAGMA user_version = ${from + index + 1}`);
    })();
  });
  return { from, to: steps.length, backup };
}
