import { dirname, join } from 'node:path';
import { readBounded } from '../files/read.ts';
import { fileToOpen } from './file-name.ts';
import { MAX_COVER_BYTES, type Cover } from './tags.ts';
import { pictureKind } from './picture.ts';

/** What programs that rip and download call the picture of an album, in the order that they are asked for. */
const names = ['cover', 'folder', 'front'].flatMap((name) =>
  [name, name.charAt(0).toUpperCase() + name.slice(1)].flatMap((written) =>
    ['jpg', 'jpeg', 'png', 'webp'].map((ending) => `${written}.${ending}`),
  ),
);

/**
 * The picture of an album that lies beside a file. A few names are asked for: listing a folder of thousands for each of its
 * files would take longer than the files.
 * @returns null where there is none, or it is no picture or larger than {@link MAX_COVER_BYTES}
 */
export async function coverBeside(path: string): Promise<Cover | null> {
  for (const name of names) {
    const file = fileToOpen(join(dirname(path), name));
    const data = await readBounded(file, MAX_COVER_BYTES).catch(() => null);
    const kind = data && pictureKind(data);
    if (data && kind) return { mime: kind.mime, data: Uint8Array.from(data) };
  }
  return null;
}
