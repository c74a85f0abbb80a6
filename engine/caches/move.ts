import { existsSync, realpathSync, statSync } from 'node:fs';
import { access, constants, link, mkdir, readdir, rename, rm, statfs } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import type { EngineContext } from '../context.ts';
import { cacheKinds } from '../api/caches.ts';
import { EngineError } from '../api/errors.ts';
import { copyFileWatched } from '../files/copy-file.ts';
import type { JobHandle } from '../jobs/queue.ts';
import { existingFolder } from '../library/libraries.ts';
import { CACHES_FOLDER, cacheFolderOf, readCachePlace, writeCachePlace } from '../storage/cache-place.ts';
import { storageError } from '../storage/errors.ts';
import { bytesOf, emptyKind, filesOf } from './kinds.ts';

/** What a disk must have beside the caches themselves. */
const SPARE = 64 * 2 ** 20;

type Around = Pick<EngineContext, 'libraries' | 'jobs' | 'backups' | 'options'>;

/**
 * The folder to put caches into, without links; null: beside the data that cannot be made again.
 * @throws EngineError `missing-folder`, `unreadable`, `bad-input`, `disk-full`
 */
export async function requirePlace(around: Around, folder: string | null): Promise<string | null> {
  if (folder === null) return null;
  const target = existingFolder(folder);
  const music = around.libraries
    .list()
    .flatMap(({ folders, name }) => folders.map((path) => ({ path: settled(path), name })))
    .find(({ path }) => isWithin(path, target));
  if (music)
    throw new EngineError(
      'bad-input',
      `${target} lies inside the music folder of the library “${music.name}”.`,
      'Archetone writes nothing beside your music: choose a folder elsewhere.',
    );
  if (isWithin(settled(around.options.dataFolder), target))
    throw new EngineError(
      'bad-input',
      `${target} is a folder of Archetone's own data.`,
      'Choose a folder elsewhere, or move the caches back.',
    );
  await access(target, constants.W_OK | constants.X_OK).catch((thrown: unknown) => {
    throw new EngineError('unreadable', `You may not write to ${target}.`, 'Choose another folder.', {
      cause: thrown,
    });
  });
  const [needed, room] = [await needs(around, target), await statfs(target)];
  const free = room.bavail * room.bsize;
  if (free < needed + (needed > 0 ? SPARE : 0))
    throw new EngineError(
      'disk-full',
      `The disk of ${target} has ${inGigabytes(free)} free; the caches take ${inGigabytes(needed)}.`,
      'Free some space there, choose another disk, or empty caches first.',
    );
  return target;
}

/**
 * Moves the caches of all libraries, one library after the other: each is closed, copied, and opened at the new place; what
 * it had goes only then. Ended in between, each library has its caches whole, here or there.
 * @returns how many libraries were moved
 * @throws EngineError `library-busy` under a job, `disk-full`, `unreadable`; the signal's reason
 */
export async function moveCaches(around: Around, folder: string | null, job: JobHandle): Promise<number> {
  const { libraries, jobs, backups, options } = around;
  const target = await requirePlace(around, folder);
  const all = libraries.list().map(({ id, name }) => ({ id, name, own: dirname(libraries.databaseOf(id)) }));
  const moving = all
    .map((library) => ({
      ...library,
      from: cacheFolderOf(library.own),
      to: target === null ? library.own : join(target, CACHES_FOLDER, library.id),
    }))
    .filter(({ from, to }) => from !== to);
  const busy = moving.find(({ id }) => jobs.busy(id));
  if (busy)
    throw new EngineError(
      'library-busy',
      `A job still works on “${busy.name}”.`,
      'Wait for it or cancel it, then move the caches.',
    );
  const sizes = await Promise.all(moving.map(({ from }) => bytesIn(from)));
  const total = sizes.reduce((a, b) => a + b, 0);
  let before = 0;
  for (const [i, { id, name, own, from, to }] of moving.entries()) {
    await job.checkpoint();
    // Removed meanwhile, with what it had.
    if (!libraries.list().some((library) => library.id === id)) continue;
    await jobs.endBackground(id);
    await backups.idle(id);
    let done = before;
    const report = (bytes: number): void => {
      done += bytes;
      job.report({
        done: Math.round(done / 2 ** 20),
        total: Math.ceil(total / 2 ** 20),
        unit: 'MB',
        current: name,
      });
    };
    report(0);
    await libraries.whileClosed(id, async () => {
      try {
        await copyTo(from, to, { own, job, report });
        await writeCachePlace(own, { folder: to === own ? null : to, left: from });
        await leave(own);
      } catch (thrown) {
        job.signal.throwIfAborted();
        throw storageError(thrown, to);
      }
    });
    before += sizes[i] ?? 0;
    job.kept();
  }
  await writeCachePlace(options.dataFolder, { folder: target, left: null });
  return moving.length;
}

/** The folders of all libraries, whether these can be opened or not. */
async function libraryFolders(dataFolder: string): Promise<string[]> {
  const root = join(dataFolder, 'libraries');
  return (await readdir(root).catch(() => [])).map((name) => join(root, name));
}

/** Takes away what moved libraries left where an earlier run ended before it did. */
export async function leaveAll(dataFolder: string): Promise<void> {
  for (const folder of await libraryFolders(dataFolder)) await leave(folder);
}

/** Takes away what a moved library left at its old place; where that fails, the next start tries again. */
async function leave(libraryFolder: string): Promise<void> {
  const place = readCachePlace(libraryFolder);
  const { left } = place;
  if (left === null || left === (place.folder ?? libraryFolder)) return;
  const elsewhere = left !== libraryFolder;
  // Its disk is not connected.
  if (elsewhere && !existsSync(dirname(dirname(left)))) return;
  try {
    for (const kind of cacheKinds) await emptyKind(left, kind);
    if (elsewhere) await rm(left, { recursive: true, force: true });
    await writeCachePlace(libraryFolder, { ...place, left: null });
  } catch {
    // A disk that is full, or may only be read: nobody uses what lies there.
  }
}

/** Removes what a move that was killed had not finished. */
export async function sweepMove(dataFolder: string, folder: string | null, jobId: string): Promise<void> {
  if (folder === null) {
    for (const own of await libraryFolders(dataFolder))
      if (cacheFolderOf(own) !== own) for (const kind of cacheKinds) await emptyKind(own, kind);
    return;
  }
  const caches = join(resolve(folder), CACHES_FOLDER);
  for (const name of await readdir(caches).catch(() => []))
    if (name.endsWith(`.${jobId}.part`)) await rm(join(caches, name), { recursive: true, force: true });
}

interface Copying {
  own: string;
  job: JobHandle;
  report: (bytes: number) => void;
}

/** Puts the caches of a closed library into a folder, whole or not at all. */
async function copyTo(from: string, to: string, { own, job, report }: Copying): Promise<void> {
  const inside = to === own;
  // Beside its own databases there is no folder that could appear at once: nothing reads these files until they are all there.
  const draft = inside ? to : `${to}.${job.id}.part`;
  if (inside) for (const kind of cacheKinds) await emptyKind(own, kind);
  else await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  try {
    for (const path of await allFiles(from)) {
      const copy = join(draft, relative(from, path));
      await mkdir(dirname(copy), { recursive: true });
      const { size } = statSync(path);
      // On the same disk both places may have the file for a moment, at no cost.
      const linked = await link(path, copy).then(
        () => true,
        () => false,
      );
      if (linked) report(size);
      else {
        let told = 0;
        await copyFileWatched(path, copy, {
          signal: job.signal,
          onBytes: (bytes) => {
            told += bytes;
            report(bytes);
          },
        });
        report(size - told);
      }
      job.signal.throwIfAborted();
    }
    if (inside) return;
    // Of a move that ended before it was written down: older than what is used now.
    await rm(to, { recursive: true, force: true });
    await rename(draft, to);
  } catch (thrown) {
    if (inside) for (const kind of cacheKinds) await emptyKind(own, kind);
    else await rm(draft, { recursive: true, force: true });
    throw thrown;
  }
}

async function allFiles(folder: string): Promise<string[]> {
  const found = await Promise.all(cacheKinds.map((kind) => filesOf(folder, kind)));
  return found.flat().filter((path) => !basename(path).endsWith('.part'));
}

async function bytesIn(folder: string): Promise<number> {
  const sizes = await Promise.all(cacheKinds.map((kind) => bytesOf(folder, kind)));
  return sizes.reduce((a, b) => a + b, 0);
}

/** Bytes that a disk must take in; none of what lies on it already. */
async function needs({ libraries }: Around, target: string): Promise<number> {
  const device = statSync(target).dev;
  let bytes = 0;
  for (const { id } of libraries.list()) {
    const from = cacheFolderOf(dirname(libraries.databaseOf(id)));
    if (existsSync(from) && statSync(from).dev !== device) bytes += await bytesIn(from);
  }
  return bytes;
}

function settled(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

const isWithin = (root: string, path: string): boolean => path === root || path.startsWith(root + sep);

const inGigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GB`;
