import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Libsql from 'libsql';
import { EngineError } from '../api/errors.ts';
import { storageError } from './errors.ts';

/**
 * Makes this process the only one that works on a data folder, by SQLite's exclusive lock on an empty database of its own
 * (`lock.db`). The operating system holds that lock and frees it when the process ends, however it ends: there is no
 * moment in which two can have it, and nothing stale to take over. `lock.pid` beside it only says who holds it.
 * @returns releases the lock
 * @throws EngineError `library-busy`
 */
export function lockDataFolder(dataFolder: string): () => void {
  const pidFile = join(dataFolder, 'lock.pid');
  try {
    mkdirSync(dataFolder, { recursive: true });
  } catch (thrown) {
    throw storageError(thrown, dataFolder);
  }
  const lock = exclusive(join(dataFolder, 'lock.db'), () => busy(dataFolder, pidFile));
  note(pidFile);
  return () => {
    rmSync(pidFile, { force: true });
    lock.close();
  };
}

function exclusive(path: string, busyError: () => EngineError): Libsql.Database {
  let lock: Libsql.Database | null = null;
  try {
    lock = new Libsql(path, { timeout: 0 });
    // Nothing is ever written, so that a full disk keeps nobody out.
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return lock;
  } catch (thrown) {
    lock?.close();
    const error = storageError(thrown, path);
    throw error.code === 'library-busy' ? busyError() : error;
  }
}

/** Only words depend on it: a full disk must not keep anyone from their library. */
function note(pidFile: string): void {
  try {
    writeFileSync(pidFile, String(process.pid));
  } catch {
    // See above.
  }
}

function busy(dataFolder: string, pidFile: string): EngineError {
  let holder = 'unknown';
  try {
    holder = readFileSync(pidFile, 'utf8').slice(0, 20).trim() || holder;
  } catch {
    // Its holder has just begun, or could not write.
  }
  return new EngineError(
    'library-busy',
    `Archetone already works in ${dataFolder} (process ${holder}).`,
    'Close the other window or command, or give this one another data folder.',
  );
}
