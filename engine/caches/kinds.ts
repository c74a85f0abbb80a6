import { readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { CacheKind } from '../api/caches.ts';
import { COPIES_FOLDER } from '../library/playback.ts';
import { SOUNDS_FOLDER } from '../library/sonifications.ts';
import { VECTORS_FOLDER } from '../library/window-rows.ts';

/** What a library's data folder holds of each kind: files whose names begin so, and the files of whole folders. */
const places: Record<CacheKind, { files: string | null; folders: string[]; open: boolean }> = {
  // With what was computed from them: predictions, maps, reports. Databases cannot go while they are open.
  embeddings: { files: 'cache.db', folders: ['decoded', VECTORS_FOLDER], open: true },
  sounds: { files: null, folders: [SOUNDS_FOLDER], open: false },
  copies: { files: null, folders: [COPIES_FOLDER], open: false },
  covers: { files: null, folders: ['covers'], open: false },
};

/** Whether a library has to be closed before this kind of its caches can go. */
export const heldOpen = (kind: CacheKind): boolean => places[kind].open;

/** Bytes that a kind takes in a library's data folder. */
export async function bytesOf(libraryFolder: string, kind: CacheKind): Promise<number> {
  const sizes = await Promise.all((await filesOf(libraryFolder, kind)).map(sizeOf));
  return sizes.reduce((a, b) => a + b, 0);
}

/** Deletes what a kind has in a library's data folder, but for what is being written. @throws the system's error */
export async function emptyKind(libraryFolder: string, kind: CacheKind): Promise<void> {
  for (const path of await filesOf(libraryFolder, kind))
    if (!path.endsWith('.part')) await rm(path, { force: true });
}

/** The files of a kind, by path. */
export async function filesOf(libraryFolder: string, kind: CacheKind): Promise<string[]> {
  const { files, folders } = places[kind];
  const inside = await Promise.all(folders.map((folder) => namesIn(join(libraryFolder, folder))));
  const beside = files === null ? [] : await namesIn(libraryFolder);
  return [...beside.filter((path) => basename(path).startsWith(files ?? '')), ...inside.flat()];
}

async function namesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => join(folder, entry.name));
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.size ?? 0;
}
