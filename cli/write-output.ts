import { EngineError } from '../engine/api/errors.ts';
import { writeWhole } from '../engine/files/write-whole.ts';
import { asEngineError } from '../engine/packs/failures.ts';

/**
 * Writes what a verb was asked for.
 * @throws EngineError `disk-full`, `bad-input` where the file cannot be written
 */
export async function writeOutput(path: string, content: string | Uint8Array): Promise<void> {
  try {
    await writeWhole(path, content);
  } catch (thrown) {
    const error = asEngineError(thrown);
    if (error.code !== 'internal') throw error;
    throw new EngineError('bad-input', `${path} cannot be written.`, 'Name another place with --out.', {
      cause: thrown,
    });
  }
}
