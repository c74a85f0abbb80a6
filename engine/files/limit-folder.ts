import { readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';

/** Notes that a file was used now, for {@link limitFolder}. One that is gone is none to note. */
export async function touch(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now).catch(() => undefined);
}

/**
 * Removes what was used longest ago from a folder of files that can be made again, until the rest fits.
 * @param limit bytes
 * @param keep a file that stays whatever its size, and whatever ends in `.part`: it is being written
 */
export async function limitFolder(folder: string, limit: number, keep: string): Promise<void> {
  const files: { path: string; bytes: number; used: number }[] = [];
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const seen = await stat(path).catch(() => null);
    if (seen?.isFile() && !name.endsWith('.part')) files.push({ path, bytes: seen.size, used: seen.mtimeMs });
  }
  let total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { path, bytes } of files.sort((a, b) => a.used - b.used)) {
    if (total <= limit) return;
    if (path === keep) continue;
    // One that the system holds open goes another time.
    await rm(path, { force: true }).then(
      () => (total -= bytes),
      () => undefined,
    );
  }
}
