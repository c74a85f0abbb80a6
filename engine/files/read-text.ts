import { constants, open } from 'node:fs/promises';
import { EngineError } from '../api/errors.ts';

const PART_BYTES = 1 << 20;

/**
 * The text of a file of others, of so many bytes at most, also where it grows meanwhile; nothing but a file is read: a pipe
 * would be waited for, and a device may never end.
 * @param missing what is said where it is not there or cannot be read
 * @throws EngineError `bad-input` for one that is larger or no file; `missing`
 */
export async function readTextBounded(
  path: string,
  most: number,
  missing: (cause: unknown) => EngineError,
): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    // Without waiting: opening a pipe for reading waits for somebody who writes to it.
    const file = await open(
      path,
      constants.O_RDONLY | (process.platform === 'win32' ? 0 : constants.O_NONBLOCK),
    );
    try {
      if (!(await file.stat()).isFile()) throw new EngineError('bad-input', `${path} is no file.`);
      for (;;) {
        const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(PART_BYTES), 0, PART_BYTES, bytes);
        if (bytesRead === 0) return Buffer.concat(parts).toString('utf8');
        bytes += bytesRead;
        if (bytes > most)
          throw new EngineError(
            'bad-input',
            `${path} is larger than ${Math.round(most / 2 ** 20)} MB.`,
            'Files of its kind are far smaller: name the right one, or part it.',
          );
        parts.push(buffer.subarray(0, bytesRead));
      }
    } finally {
      await file.close();
    }
  } catch (thrown) {
    throw thrown instanceof EngineError ? thrown : missing(thrown);
  }
}
