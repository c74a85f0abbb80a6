import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

/** Containers may share a temporary folder, but not the numbers of their processes. */
const machine = createHash('sha256').update(hostname()).digest('hex').slice(0, 6);
const owned = new RegExp(`^archetone-[a-z]+-${machine}-(\\d+)-[A-Za-z0-9]{6}$`);

/**
 * Works in a fresh folder in the system's temporary folder, which is removed afterwards; what a killed process left is
 * removed by {@link sweepScratch}, which knows its owner by the name.
 * @param purpose in the name, lower-case letters
 * @throws what `work` throws; the system's error
 */
export async function inScratch<T>(purpose: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), `archetone-${purpose}-${machine}-${process.pid}-`));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Removes the folders of {@link inScratch} whose process is gone. What cannot be removed is left for the next time; where
 * the number of a process was given to another one meanwhile, the folder stays until that one is gone, too.
 * @param parent default: the system's temporary folder
 * @returns names of what was removed
 */
export async function sweepScratch(parent: string = tmpdir()): Promise<string[]> {
  const entries = await readdir(parent, { withFileTypes: true }).catch(() => []);
  const removed: string[] = [];
  for (const entry of entries) {
    const pid = Number(owned.exec(entry.name)?.[1] ?? 0);
    if (!entry.isDirectory() || pid === 0 || isAlive(pid)) continue;
    try {
      await rm(join(parent, entry.name), { recursive: true });
      removed.push(entry.name);
    } catch {
      // Another user's, or swept by another process at this moment.
    }
  }
  return removed;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    // There is one, and it is another user's.
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}
