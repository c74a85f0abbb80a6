import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { EngineError } from '../api/errors.ts';

/** Hash of a file, in hexadecimal. @throws EngineError `unreadable` */
export async function hashOf(file: string, algorithm: 'sha256' | 'md5' = 'sha256'): Promise<string> {
  const hash = createHash(algorithm);
  try {
    // Reading a pipe would wait for ever.
    if (!(await stat(file)).isFile()) throw new Error('not a file');
    for await (const piece of createReadStream(file)) hash.update(piece as Buffer);
  } catch (cause) {
    throw new EngineError(
      'unreadable',
      `${file} cannot be read.`,
      'Look at the evaluation and its data set.',
      { cause },
    );
  }
  return hash.digest('hex');
}
