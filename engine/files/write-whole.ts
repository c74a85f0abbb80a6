import { rename, rm, writeFile } from 'node:fs/promises';

let count = 0;

/**
 * Writes a file under a temporary name beside it first: what has the file's name is always complete, and what was there
 * before stays when writing fails.
 * @throws the system's error; nothing is left behind then
 */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.${process.pid}-${++count}.tmp`;
  try {
    await writeFile(temporary, content);
    await rename(temporary, path);
  } catch (thrown) {
    await rm(temporary, { force: true });
    throw thrown;
  }
}
