import { constants, createReadStream, createWriteStream } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

export interface Watch {
  signal?: AbortSignal | undefined;
  /** Told of so many bytes more. */
  onBytes?: ((bytes: number) => void) | undefined;
}

/**
 * Copies a file: at once where the file system can share its blocks, else piece by piece, so that it can be stopped.
 * @param to must not be there
 * @throws errors of the file system; the signal's reason, and then the copy may be there in part
 */
export async function copyFileWatched(from: string, to: string, { signal, onBytes }: Watch): Promise<void> {
  signal?.throwIfAborted();
  try {
    await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL);
    return;
  } catch {
    // Not offered, or refused: then the other way says why.
  }
  await pipeline(
    createReadStream(from, { highWaterMark: 1 << 20 }),
    async function* (pieces: AsyncIterable<Buffer>) {
      for await (const piece of pieces) {
        onBytes?.(piece.length);
        yield piece;
      }
    },
    createWriteStream(to, { flags: 'wx', flush: true }),
    ...(signal ? [{ signal }] : []),
  );
}
