import { readdir, stat } from 'node:fs/promises';
import { EngineError } from '../api/errors.ts';

/**
 * Refuses a folder to write to that holds anything: nobody's files are replaced.
 * @returns whether the (empty) folder is there
 * @throws EngineError `bad-input`
 */
export async function refuseTaken(
  target: string,
  hint = 'Choose a new or an empty folder; an export never overwrites anything.',
): Promise<boolean> {
  const facts = await stat(target).catch(() => null);
  if (!facts) return false;
  if (!facts.isDirectory()) throw new EngineError('bad-input', `${target} is a file, not a folder.`, hint);
  if ((await readdir(target)).length > 0)
    throw new EngineError('bad-input', `The folder ${target} is not empty.`, hint);
  return true;
}
