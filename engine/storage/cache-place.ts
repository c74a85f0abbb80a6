import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { EngineError } from '../api/errors.ts';
import { writeWhole } from '../files/write-whole.ts';
import { storageError } from './errors.ts';

const FILE = 'cache-place.json';

/** Holds a folder for each library in the folder that a person chose; an import does not enter it. */
export const CACHES_FOLDER = 'archetone-caches';

const placeSchema = z.object({
  /** Where the caches are; null: beside the databases that cannot be made again. */
  folder: z.string().nullable(),
  /** Where they were, as long as that may hold a copy still. */
  left: z.string().nullable(),
});
export type CachePlace = z.output<typeof placeSchema>;

/** What the small file in a folder says of the place of caches. */
export function readCachePlace(folder: string): CachePlace {
  try {
    return placeSchema.parse(JSON.parse(readFileSync(join(folder, FILE), 'utf8')));
  } catch {
    return { folder: null, left: null };
  }
}

/** What is there afterwards is whole: the old place, or the new one. @throws EngineError `disk-full`, `unreadable` */
export async function writeCachePlace(folder: string, place: CachePlace): Promise<void> {
  try {
    await writeWhole(join(folder, FILE), `${JSON.stringify(place)}\n`);
  } catch (thrown) {
    throw storageError(thrown, folder);
  }
}

/** Puts the caches of a library that is being made where a person wants caches, if that is there. */
export function placeNewCaches(dataFolder: string, libraryFolder: string, libraryId: string): void {
  const { folder } = readCachePlace(dataFolder);
  if (folder === null || !existsSync(folder)) return;
  const place: CachePlace = { folder: join(folder, CACHES_FOLDER, libraryId), left: null };
  try {
    mkdirSync(join(folder, CACHES_FOLDER, libraryId), { recursive: true });
    mkdirSync(libraryFolder, { recursive: true });
    writeFileSync(join(libraryFolder, FILE), `${JSON.stringify(place)}\n`);
  } catch (thrown) {
    throw storageError(thrown, folder);
  }
}

/** The folder that holds the caches of the library whose databases lie in `libraryFolder`. */
export const cacheFolderOf = (libraryFolder: string): string =>
  readCachePlace(libraryFolder).folder ?? libraryFolder;

/**
 * Refuses to open a library whose caches are on a disk that is not there: made anew, they would take its place.
 * @throws EngineError `missing-folder`
 */
export function requireCacheFolder(libraryFolder: string): string {
  const folder = cacheFolderOf(libraryFolder);
  if (folder === libraryFolder || existsSync(folder)) return folder;
  throw new EngineError(
    'missing-folder',
    `The caches of this library lie in ${folder}, which is not there.`,
    'Connect its disk. Or move the caches back in the preferences: then they are made anew by the next import.',
  );
}
