import { rename, rm, writeFile } from 'node:fs/promises';
import { EngineError } from '../engine/api/errors.ts';
import { asEngineError } from '../engine/packs/failures.ts';

/**
 * Writes a file under a temporary name first: what has the file's name is always complete.
 * @throws EngineError `disk-full`, `bad-input` where the file cannot be written
 */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, content);
    await rename(temporary, path);
  } catch (thrown) {
    await rm(temporary, { force: true });
    const error = asEngineError(thrown);
    if (error.code !== 'internal') throw error;
    throw new EngineError('bad-input', `${path} cannot be written.`, 'Name another place with --out.', {
      cause: thrown,
    });
  }
}
