import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pictureKind, type PictureKind } from '../../models/audio/index.ts';
import { LARGE_COVER } from '../library/covers.ts';
import { storageError } from '../storage/errors.ts';

/** Pictures that a window can show without risk; SVG is a program. */
const endings: Record<PictureKind['mime'], string> = {
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/webp': 'webp',
  'image/gif': 'gif',
};
/** A few bytes may promise a picture that fills the memory of whoever draws it. */
const MAX_PIXELS = 24_000_000;

/**
 * Keeps the picture of a track in the library's `covers/`.
 * @returns the file's name there, which is made from its content: the tracks of an album share one; null for what is no picture,
 * whatever its tag calls it
 * @throws EngineError `disk-full`, `database`
 */
export function writeCover(dataFolder: string, cover: { data: Uint8Array }): string | null {
  const kind = pictureKind(cover.data);
  if (kind === null) return null;
  const dot = kind.width * kind.height > MAX_PIXELS ? LARGE_COVER : '.';
  const name = `${createHash('sha256').update(cover.data).digest('hex').slice(0, 32)}${dot}${endings[kind.mime]}`;
  const folder = join(dataFolder, 'covers');
  if (existsSync(join(folder, name))) return name;
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${name}.part`), cover.data);
    renameSync(join(folder, `${name}.part`), join(folder, name));
  } catch (thrown) {
    throw storageError(thrown, folder);
  }
  return name;
}
