import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FileReadError, readBounded } from '../files/read.ts';
import { fileToOpen } from './file-name.ts';
import { MAX_COVER_BYTES, type Cover } from './tags.ts';
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
 * @returns null where there is none, or it is no picture or larger than {@link MAX_COVER_BYTES}
 */
export async function coverBeside(path: string): Promise<Cover | null> {
  const folder = dirname(path);
  const changedMs = await changeOf(folder);
  if (bare?.folder === folder && bare.changedMs === changedMs) return null;
  bare = null;
  let found = false;
  for (const name of names) {
    const data = await readBounded(fileToOpen(join(folder, name)), MAX_COVER_BYTES).catch(
      (thrown: unknown) => {
        found ||= !(thrown instanceof FileReadError && thrown.problem === 'missing');
        return null;
      },
    );
    found ||= data !== null;
    const kind = data && pictureKind(data);
    if (data && kind) return { mime: kind.mime, data: Uint8Array.from(data) };
  }
  if (!found && changedMs !== null && Date.now() - changedMs > SETTLED_MS) bare = { folder, changedMs };
  return null;
}

/** When something was added to a folder, taken from it or renamed in it; null where nobody can say. */
async function changeOf(folder: string): Promise<number | null> {
  return stat(fileToOpen(folder)).then(
    ({ mtimeMs }) => mtimeMs,
    () => null,
  );
}
