import { dirname, join } from 'node:path';
import { FileReadError, readBounded } from '../files/read.ts';
import { fileToOpen } from './file-name.ts';
import { MAX_COVER_BYTES, noPicture, tooLarge, type FoundCover } from './tags.ts';
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
 * @returns the first that is one; else what is wrong with the first that is none, or is larger than {@link MAX_COVER_BYTES}
 */
export async function coverBeside(path: string): Promise<FoundCover> {
  let problem: string | null = null;
  for (const name of names) {
    const file = fileToOpen(join(dirname(path), name));
    try {
      const data = await readBounded(file, MAX_COVER_BYTES);
      const kind = pictureKind(data);
      if (kind) return { cover: { mime: kind.mime, data: Uint8Array.from(data) }, problem: null };
      problem ??= `${name} beside it ${noPicture}`;
    } catch (thrown) {
      // Most of these names no folder has.
      if (thrown instanceof FileReadError && thrown.problem === 'too-large')
        problem ??= `${name} beside it ${tooLarge(thrown.bytes ?? MAX_COVER_BYTES + 1)}`;
    }
  }
  return { cover: null, problem };
}
