import { constants, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { copyFileWatched, type Watch } from '../files/copy-file.ts';
import { Database } from './database.ts';
import { checkFileAside, checkSound } from './check.ts';
import { storageError } from './errors.ts';

/** Why a backup was made: by itself, by hand, before an update of the schema, before another one took its place. */
export type BackupReason = 'auto' | 'hand' | 'update' | 'restore';

/** One backup of a database: a whole database file of its own in `backups/` beside it. */
export interface Backup {
  name: string;
  path: string;
  at: Date;
  reason: BackupReason;
  bytes: number;
}

const NAME = /^(.+)-(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z)-(auto|hand|restore|schema-\d+)\.db$/;
const DRAFT = '.part';

/** How many of each reason stay; of those made by themselves also the newest of each of so many days and weeks. */
const KEPT: Record<BackupReason, number> = { auto: 3, hand: 10, update: 5, restore: 3 };
const KEPT_DAYS = 7;
/** This week and the four before it. */
const KEPT_WEEKS = 5;
const DAY_MS = 86_400_000;

/** Backups of a database, newest first. */
export function listBackups(databasePath: string): Backup[] {
  const folder = backupsOf(databasePath);
  const names = existsSync(folder) ? readdirSync(folder).sort().reverse() : [];
  return names.flatMap((name) => {
    const [, stem, stamp = '', reason = ''] = NAME.exec(name) ?? [];
    if (stem !== basename(databasePath, '.db')) return [];
    const at = new Date(stamp.replace(/T(\d\d)-(\d\d)-(\d\d)-(\d{3})Z/, 'T$1:$2:$3.$4Z'));
    const path = join(folder, name);
    const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    const settled = reason.startsWith('schema-') ? 'update' : (reason as Exclude<BackupReason, 'update'>);
    return bytes === 0 || Number.isNaN(at.getTime()) ? [] : [{ name, path, at, reason: settled, bytes }];
  });
}

/** The newest backup that opens and is sound; null when there is none. */
export function newestSoundBackup(databasePath: string): Backup | null {
  return listBackups(databasePath).find((backup) => isSoundNow(backup.path)) ?? null;
}

/** Files that were found sound, as they were then: backups do not change, and are asked about again and again. */
const foundSound = new Map<string, string>();

/** Whether a file is a database in order. */
export async function isSoundFile(path: string): Promise<boolean> {
  if (isKnownSound(path)) return true;
  try {
    await checkFile(path);
  } catch {
    return false;
  }
  rememberSound(path);
  return true;
}

/** The same in one go, for what is said while a library is being opened. */
function isSoundNow(path: string): boolean {
  if (isKnownSound(path)) return true;
  try {
    checkFileNow(path);
  } catch {
    return false;
  }
  rememberSound(path);
  return true;
}

function isKnownSound(path: string): boolean {
  return foundSound.has(path) && foundSound.get(path) === stateOf(path);
}

function rememberSound(path: string): void {
  foundSound.set(path, stateOf(path));
}

function stateOf(path: string): string {
  const info = statSync(path, { throwIfNoEntry: false });
  return info === undefined ? '' : `${info.ino} ${info.size} ${info.mtimeMs} ${info.ctimeMs}`;
}

/**
 * Backups that may go, of a list with the newest first.
 * @returns those that no rule keeps
 */
export function superfluous<B extends Pick<Backup, 'at' | 'reason'>>(backups: readonly B[]): B[] {
  const kept = new Set<B>();
  for (const [reason, count] of Object.entries(KEPT))
    for (const backup of backups.filter((each) => each.reason === reason).slice(0, count)) kept.add(backup);
  const automatic = backups.filter(({ reason }) => reason === 'auto');
  for (const [length, count] of [
    [DAY_MS, KEPT_DAYS],
    [7 * DAY_MS, KEPT_WEEKS],
  ] as const) {
    const spans = new Map<number, B>();
    for (const backup of automatic) {
      const span = Math.floor(backup.at.getTime() / length);
      if (!spans.has(span)) spans.set(span, backup);
    }
    for (const backup of [...spans.values()].slice(0, count)) kept.add(backup);
  }
  return backups.filter((backup) => !kept.has(backup));
}

/**
 * Writes a copy of a database into `backups/` beside it, while it is in use and without holding anything up: the file of
 * a database that writes to a log does not change while nothing is carried over from the log. The copy is opened and
 * checked before it gets its name, and only then older ones go.
 * @throws EngineError `database` when the database or the copy is damaged; `disk-full`
 */
export async function backUp(db: Database, reason: 'auto' | 'hand'): Promise<Backup> {
  return written(db.path, reason, (draft) => db.copyTo(draft));
}

/** Like `backUp`, in one go, for a database that is being opened. @param reason `schema-3`: the version it had */
export function backUpNow(db: Database, reason: `schema-${number}`): string {
  const { path, draft } = prepare(db.path, reason);
  try {
    db.prepare('VACUUM INTO ?').run([draft]);
    checkFileNow(draft);
    return settle(db.path, draft, path);
  } catch (thrown) {
    discardFile(draft);
    throw storageError(thrown, path);
  }
}

/**
 * Puts a copy of a file in the place of a database that nobody has open. What was there is kept: as a backup when it is
 * sound, else beside it as `….damaged-*`.
 * @throws EngineError `database` when that file is no sound database (nothing was changed); `disk-full`
 */
export async function putInPlace(databasePath: string, from: string): Promise<{ kept: string | null }> {
  const draft = `${databasePath}.restored`;
  try {
    discardFile(draft);
    await copyFile(from, draft, constants.COPYFILE_FICLONE);
    await checkFile(draft);
    const kept = await setAside(databasePath);
    renameSync(draft, databasePath);
    return { kept };
  } catch (thrown) {
    discardFile(draft);
    throw storageError(thrown, databasePath);
  }
}

/** Copies a database file that is not in use, or is read only, and checks the copy. @throws EngineError; the signal's reason */
export async function copyChecked(from: string, to: string, watch: Watch = {}): Promise<void> {
  try {
    await copyFileWatched(from, to, watch);
    await checkFile(to);
  } catch (thrown) {
    watch.signal?.throwIfAborted();
    throw storageError(thrown, to);
  }
}

/** Takes a database out of the way without deleting it. @returns where it lies now; null when there was none */
async function setAside(databasePath: string): Promise<string | null> {
  if (!existsSync(databasePath)) return null;
  const sound = await isSoundFile(databasePath);
  const kept = sound
    ? prepare(databasePath, 'restore').path
    : `${databasePath}.damaged-${stampOf(new Date())}`;
  renameSync(databasePath, kept);
  for (const suffix of ['-wal', '-shm', '-journal']) {
    // A log belongs to its database, damaged or not.
    if (existsSync(databasePath + suffix)) renameSync(databasePath + suffix, kept + suffix);
  }
  return kept;
}

/** Deletes what a copy that was cut short left. */
export function sweepDrafts(databasePath: string): void {
  const folder = backupsOf(databasePath);
  discardFile(`${databasePath}.restored`);
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) if (name.includes(DRAFT)) discardFile(join(folder, name));
}

async function written(
  databasePath: string,
  reason: string,
  write: (draft: string) => Promise<void>,
): Promise<Backup> {
  const { path, draft } = prepare(databasePath, reason);
  try {
    await write(draft);
    await checkFile(draft);
    settle(databasePath, draft, path);
  } catch (thrown) {
    discardFile(draft);
    throw storageError(thrown, path);
  }
  const made = listBackups(databasePath).find((backup) => backup.path === path);
  if (!made) throw storageError(Object.assign(new Error('gone'), { code: 'EIO' }), path);
  return made;
}

function prepare(databasePath: string, reason: string): { path: string; draft: string } {
  const folder = backupsOf(databasePath);
  const path = join(folder, `${basename(databasePath, '.db')}-${stampOf(new Date())}-${reason}.db`);
  try {
    mkdirSync(folder, { recursive: true });
    discardFile(path + DRAFT);
  } catch (thrown) {
    throw storageError(thrown, path);
  }
  return { path, draft: path + DRAFT };
}

function settle(databasePath: string, draft: string, path: string): string {
  renameSync(draft, path);
  for (const old of superfluous(listBackups(databasePath))) discardFile(old.path);
  return path;
}

/** @throws EngineError `database` for a file that is no database in order; leaves one file, without a log */
async function checkFile(path: string): Promise<void> {
  withoutLog(path, () => undefined);
  await checkFileAside(path);
}

/** The same in one go. */
function checkFileNow(path: string): void {
  withoutLog(path, checkSound);
}

function withoutLog(path: string, look: (copy: Database) => void): void {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0)
    throw storageError(Object.assign(new Error('empty'), { code: 'SQLITE_NOTADB' }), path);
  const copy = new Database(path);
  try {
    copy.prepare('PRAGMA journal_mode = DELETE').all();
    look(copy);
  } finally {
    copy.close();
  }
}

const stampOf = (time: Date): string => time.toISOString().replaceAll(/[:.]/g, '-');
const backupsOf = (databasePath: string): string => join(dirname(databasePath), 'backups');

function discardFile(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true });
}
