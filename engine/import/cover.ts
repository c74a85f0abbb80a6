import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { storageError } from '../storage/errors.ts';

/** Pictures that a window can show without risk; SVG is a program. */
const coverEndings: Record<string, string> = {
  'image/jpeg': 'jpg',
  'image/jpg': 'jpg',
  'image/png': 'png',
  'image/webp': 'webp',
  'image/gif': 'gif',
};

/**
 * Keeps an embedded picture in the library's `covers/`.
 * @returns the file's name there, which is made from its content: the tracks of an album share one; null for a picture
 * that is of no use
 * @throws EngineError `disk-full`, `database`
 */
export function writeCover(dataFolder: string, cover: { mime: string; data: Uint8Array }): string | null {
  const ending = coverEndings[cover.mime];
  if (ending === undefined) return null;
  const name = `${createHash('sha256').update(cover.data).digest('hex').slice(0, 32)}.${ending}`;
  const folder = join(dataFolder, 'covers');
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${name}.part`), cover.data);
    renameSync(join(folder, `${name}.part`), join(folder, name));
  } catch (thrown) {
    throw storageError(thrown, folder);
  }
  return name;
}
