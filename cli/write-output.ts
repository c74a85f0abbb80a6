import { EngineError } from '../engine/api/errors.ts';
import { writeWhole } from '../engine/files/write-whole.ts';
import { asEngineError } from '../engine/packs/failures.ts';

/**
 * Writes what a verb was asked for.
 * @throws EngineError `disk-full`, `bad-input` where the file cannot be written
 */
export function writeOutput(path: string, content: string | Uint8Array): Promise<void> {
  return toOutput(path, () => writeWhole(path, content));
}

/**
 * Does what writes to a place that a verb was given.
 * @param option that named the place
 * @throws EngineError as {@link writeOutput} does
 */
export async function toOutput<T>(path: string, write: () => Promise<T>, option = '--out'): Promise<T> {
  try {
    return await write();
  } catch (thrown) {
    const error = asEngineError(thrown);
    if (thrown instanceof EngineError || error.code !== 'internal') throw error;
    throw new EngineError('bad-input', `${path} cannot be written.`, `Name another place with ${option}.`, {
      cause: thrown,
    });
  }
}
