import { existsSync } from 'node:fs';
import { EngineError } from '../api/errors.ts';
import { writeWhole } from '../files/write-whole.ts';
import { storageError } from '../storage/errors.ts';

/**
 * Writes a file that a person named, and never over another one.
 * @throws EngineError `bad-input` when the file is there already, `disk-full` …
 */
export async function writeNew(path: string, content: string | Uint8Array): Promise<void> {
  refuseExisting(path);
  try {
    await writeWhole(path, content);
  } catch (thrown) {
    throw storageError(thrown, path);
  }
}

/** For work that would be in vain: {@link writeNew} looks again. @throws EngineError `bad-input` */
export function refuseExisting(path: string): void {
  if (existsSync(path))
    throw new EngineError(
      'bad-input',
      `${path} is there already.`,
      'Choose another name or folder; nothing is written over.',
    );
}
