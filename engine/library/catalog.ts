import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
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

/** Every library of a data folder, read from the small file that lies beside its databases. */
export function readCatalog(librariesFolder: string): CatalogEntry[] {
  let names: string[];
  try {
    names = readdirSync(librariesFolder).sort();
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return [];
    throw storageError(thrown, librariesFolder);
  }
  return names.flatMap((name) => {
    try {
      return [entrySchema.parse(JSON.parse(readFileSync(join(librariesFolder, name, FILE), 'utf8')))];
    } catch {
      // A library is made by writing this file last: without it, the folder is a leftover of a crash.
      return [];
    }
  });
}

/**
 * Forgets a library at once and deletes its folder, as far as the system allows now: Windows keeps files that are still
 * open. The rest goes with `sweepRemoved`.
 */
export function removeLibraryFolder(libraryFolder: string): void {
  try {
    renameSync(join(libraryFolder, FILE), join(libraryFolder, REMOVED));
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
