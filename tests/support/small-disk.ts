import { execFileSync } from 'node:child_process';
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system of its own that can be filled up. */
export interface SmallDisk {
  folder: string;
  /** Fills it until so many bytes are left. */
  fill(left?: number): void;
  /** Takes away what `fill` wrote. */
  free(): void;
  remove(): void;
}

/** @returns null where this user may not mount one */
export function smallDisk(megabytes: number): SmallDisk | null {
  const folder = mkdtempSync(join(tmpdir(), 'archetone-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'archetone-test', folder], {
      stdio: 'ignore',
    });
  } catch {
    rmSync(folder, { recursive: true, force: true });
    return null;
  }
  const ballast = join(folder, 'ballast');
  return {
    folder,
    fill: (left = 0) => {
      const file = openSync(ballast, 'a');
      try {
        for (let room = roomOf(folder) - left; room > 0; room = roomOf(folder) - left)
          if (writeSync(file, new Uint8Array(Math.min(room, 1 << 20))) === 0) break;
        fsyncSync(file);
      } catch (thrown) {
        if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOSPC')) throw thrown;
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(ballast, { force: true }),
    remove: () => {
      execFileSync('umount', ['-l', folder], { stdio: 'ignore' });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function roomOf(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** Whether `smallDisk` gives one here. */
export function canMount(): boolean {
  const disk = smallDisk(1);
  disk?.remove();
  return disk !== null;
}
