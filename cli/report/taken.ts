import { readdir, stat } from 'node:fs/promises';
import { EngineError } from '../../engine/api/errors.ts';

/**
 * Refuses a folder to write to that holds anything: nobody's files are replaced.
 * @throws EngineError `bad-input`
 */
export async function refuseTaken(folder: string, hint: string): Promise<void> {
  const facts = await stat(folder).catch(() => null);
  if (facts && (!facts.isDirectory() || (await readdir(folder)).length > 0))
    throw new EngineError('bad-input', `${folder} is not an empty folder.`, hint);
}
