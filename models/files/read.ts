import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** Why a file was not read, as one word that callers may switch on. */
export type FileProblem = 'missing' | 'not-a-file' | 'too-large' | 'unreadable';

/** A file that was not read. Callers put it in the words of what they expected. */
export class FileReadError extends Error {
  readonly problem: FileProblem;
  /** What it has, bytes, where that was learned. */
  readonly bytes: number | null;

  constructor(problem: FileProblem, message: string, bytes: number | null = null, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'FileReadError';
    this.problem = problem;
    this.bytes = bytes;
  }
}

/** Linux reads no more than this at once. */
const MOST_AT_ONCE = 1 << 30;

/**
 * A file of others, whole. Nothing but a file is read: a pipe would be waited for, and a device may never end. Of one that
 * grows meanwhile what was there at the beginning is read.
 *
 * @param most bytes
 * @throws FileReadError
 *
 * @example
 * ```ts
 * const bytes = await readBounded('labels.xml', 16 * 2 ** 20);
 * ```
 */
export async function readBounded(path: string | Buffer, most: number): Promise<Buffer> {
  try {
    // Without waiting: opening a pipe for reading waits for somebody who writes to it.
    const file = await open(
      path,
      constants.O_RDONLY | (process.platform === 'win32' ? 0 : constants.O_NONBLOCK),
    );
    try {
      const facts = await file.stat();
      if (!facts.isFile()) throw new FileReadError('not-a-file', 'it is not a file');
      const { size } = facts;
      if (size > most) throw new FileReadError('too-large', `it has more than ${most} bytes`, size);
      const bytes = Buffer.allocUnsafe(size);
      let filled = 0;
      while (filled < size) {
        const { bytesRead } = await file.read(bytes, filled, Math.min(size - filled, MOST_AT_ONCE), filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.subarray(0, filled);
    } finally {
      await file.close();
    }
  } catch (thrown) {
    if (thrown instanceof FileReadError) throw thrown;
    const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
    const missing = 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR');
    throw new FileReadError(missing ? 'missing' : 'unreadable', cause.message, null, cause);
  }
}
