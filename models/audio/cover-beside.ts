import { stat } from 'node:fs/promises';
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

/** A folder that was changed just before it was looked into may change again without another time of change. */
const SETTLED_MS = 5000;
/** The folder that was looked into last, if it had nothing of these names, and when it was changed. */
let bare: { folder: string; changedMs: number } | null = null;

/**
 * The picture of an album that lies beside a file. A few names are asked for: listing a folder of thousands for each of its
 * files would take longer than the files.
 * @returns the first that is one; else what is wrong with the first that is none, or is larger than {@link MAX_COVER_BYTES}
 */
export async function coverBeside(path: string): Promise<FoundCover> {
  const folder = dirname(path);
  const changedMs = await changeOf(folder);
  if (bare?.folder === folder && bare.changedMs === changedMs) return { cover: null, problem: null };
  bare = null;
  let found = false;
  let problem: string | null = null;
  for (const name of names) {
    try {
      const data = await readBounded(fileToOpen(join(folder, name)), MAX_COVER_BYTES);
      found = true;
      const kind = pictureKind(data);
      if (kind) return { cover: { mime: kind.mime, data: Uint8Array.from(data) }, problem: null };
      problem ??= `${name} beside it ${noPicture}`;
    } catch (thrown) {
      // Most of these names no folder has.
      const failure = thrown instanceof FileReadError ? thrown : null;
      found ||= failure?.problem !== 'missing';
      if (failure?.problem === 'too-large')
        problem ??= `${name} beside it ${tooLarge(failure.bytes ?? MAX_COVER_BYTES + 1)}`;
    }
  }
  if (!found && changedMs !== null && Date.now() - changedMs > SETTLED_MS) bare = { folder, changedMs };
  return { cover: null, problem };
}

/** When something was added to a folder, taken from it or renamed in it; null where nobody can say. */
async function changeOf(folder: string): Promise<number | null> {
  return stat(fileToOpen(folder)).then(
    ({ mtimeMs }) => mtimeMs,
    () => null,
  );
}
