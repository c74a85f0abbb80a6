import { FileReadError, readBounded } from '../../models/files/read.ts';
import { EngineError } from '../api/errors.ts';

/**
 * The text of a file of others, of so many bytes at most.
 * @param missing what is said where it is not there or cannot be read
 * @throws EngineError `bad-input` for one that is larger or no file; `missing`
 */
export async function readTextBounded(
  path: string,
  most: number,
  missing: (cause: unknown) => EngineError,
): Promise<string> {
  try {
    return (await readBounded(path, most)).toString('utf8');
  } catch (thrown) {
    const problem = thrown instanceof FileReadError ? thrown.problem : null;
    if (problem === 'not-a-file') throw new EngineError('bad-input', `${path} is no file.`);
    if (problem === 'too-large')
      throw new EngineError(
        'bad-input',
        `${path} is larger than ${Math.round(most / 2 ** 20)} MB.`,
        'Files of its kind are far smaller: name the right one, or part it.',
      );
    throw missing(thrown);
  }
}
