import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import * as z from 'zod';
import { listBackups } from '../storage/backups.ts';
import { CACHES_FOLDER, cacheFolderOf } from '../storage/cache-place.ts';
import { Database } from '../storage/database.ts';
import { storageError } from '../storage/errors.ts';

const entrySchema = z.object({
  id: z.string(),
  name: z.string(),
  folder: z.string(),
  packId: z.string(),
  isDemo: z.boolean(),
  createdAt: z.string(),
});

/** What must be known of a library even when its database cannot be opened. */
export type CatalogEntry = z.infer<typeof entrySchema>;

const FILE = 'library.json';
const REMOVED = 'removed.json';

/**
 * Every library of a data folder: each folder with a database is one. The small file beside it answers quickly and where
 * the database cannot; where that file is missing or no JSON, it is written anew from the database or its newest backup.
 */
export function readCatalog(librariesFolder: string): CatalogEntry[] {
  let names: string[];
  try {
    names = readdirSync(librariesFolder).sort();
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return [];
    throw storageError(thrown, librariesFolder);
  }
  return names.flatMap((name) => {
    const folder = join(librariesFolder, name);
    return readEntry(folder) ?? entryAnew(folder, name) ?? [];
  });
}

function readEntry(libraryFolder: string): CatalogEntry | null {
  try {
    return entrySchema.parse(JSON.parse(readFileSync(join(libraryFolder, FILE), 'utf8')));
  } catch {
    return null;
  }
}

function entryAnew(folder: string, id: string): CatalogEntry | null {
  const path = join(folder, 'library.db');
  if (existsSync(join(folder, REMOVED)) || !statSync(path, { throwIfNoEntry: false })?.size) return null;
  const entry = [path, ...listBackups(path).map((backup) => backup.path)].reduce<
    CatalogEntry | null | 'none'
  >((found, each) => (found === null ? readIdentity(each) : found), null);
  // No row at all: made, and cut short before it became a library.
  if (entry === 'none') return null;
  const unknown = { name: `Library ${id}`, folder: '', packId: '', isDemo: false };
  const settled = { ...(entry ?? { ...unknown, createdAt: new Date(0).toISOString() }), id };
  try {
    if (entry !== null) writeCatalogEntry(folder, settled);
  } catch {
    // A full disk: found again next time.
  }
  return settled;
}

/** What a database says it is the library of; null when it cannot be read. */
function readIdentity(path: string): CatalogEntry | null | 'none' {
  let db: Database | null = null;
  try {
    db = new Database(path);
    const row = db.prepare<z.input<typeof identitySchema>>('SELECT * FROM library').get();
    if (row === undefined) return 'none';
    const { name, folder, is_demo: isDemo, created_at: createdAt } = identitySchema.parse(row);
    return { id: '', name, folder, packId: '', isDemo: isDemo === 1, createdAt };
  } catch {
    return null;
  } finally {
    db?.close();
  }
}

const identitySchema = z.object({
  name: z.string(),
  folder: z.string(),
  is_demo: z.number(),
  created_at: z.string(),
});

/**
 * Makes the folder of a library that is none yet: until `finishFolder` it is not listed, and when the process ends before,
 * it goes with `sweepRemoved`.
 */
export function beginFolder(libraryFolder: string): void {
  try {
    mkdirSync(libraryFolder, { recursive: true });
    writeFileSync(join(libraryFolder, REMOVED), '');
  } catch (thrown) {
    throw storageError(thrown, libraryFolder);
  }
}

/** Everything is in the folder that `beginFolder` made. */
export function finishFolder(libraryFolder: string): void {
  rmSync(join(libraryFolder, REMOVED), { force: true });
}

/**
 * Forgets a library at once and deletes its folder, as far as the system allows now: Windows keeps files that are still
 * open. The rest goes with `sweepRemoved`.
 */
export function removeLibraryFolder(libraryFolder: string): void {
  try {
    // Renamed where possible: that needs no space on a full disk.
    if (existsSync(join(libraryFolder, FILE)))
      renameSync(join(libraryFolder, FILE), join(libraryFolder, REMOVED));
    else writeFileSync(join(libraryFolder, REMOVED), '');
  } catch (thrown) {
    throw storageError(thrown, libraryFolder);
  }
  deleteAsFarAsPossible(libraryFolder);
}

/** Deletes what removed libraries left. */
export function sweepRemoved(librariesFolder: string): void {
  if (!existsSync(librariesFolder)) return;
  for (const name of readdirSync(librariesFolder)) {
    const folder = join(librariesFolder, name);
    if (existsSync(join(folder, REMOVED))) deleteAsFarAsPossible(folder);
  }
}

function deleteAsFarAsPossible(folder: string): void {
  try {
    // What names them goes last.
    const caches = cacheFolderOf(folder);
    // Only what a move made: a file that names another folder must not take that along.
    if (basename(caches) === basename(folder) && basename(dirname(caches)) === CACHES_FOLDER)
      rmSync(caches, { recursive: true, force: true, maxRetries: 3 });
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    // Tried again when the engine starts.
  }
}

/** Written aside and renamed, so that it is never half there. */
export function writeCatalogEntry(libraryFolder: string, entry: CatalogEntry): void {
  const path = join(libraryFolder, FILE);
  try {
    writeFileSync(`${path}.part`, `${JSON.stringify(entry, null, 2)}\n`);
    renameSync(`${path}.part`, path);
  } catch (thrown) {
    throw storageError(thrown, path);
  }
}
