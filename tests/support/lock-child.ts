/**
 * Takes and frees the lock of a data folder as often as it is told to. While it has the lock it makes a file that must not
 * be there yet: exit code 3 when it was, which means that two processes held the lock at once.
 */
import { closeSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../engine/api/errors.ts';
import { lockDataFolder } from '../../engine/storage/lock.ts';

const [folder = '', rounds = '1', hold = ''] = process.argv.slice(2);
const witness = join(folder, 'held');
for (let round = 0; round < Number(rounds);) {
  let unlock: () => void;
  try {
    unlock = lockDataFolder(folder);
  } catch (thrown) {
    if (thrown instanceof EngineError && thrown.code === 'library-busy') continue;
    throw thrown;
  }
  try {
    closeSync(openSync(witness, 'wx'));
  } catch {
    process.exit(3);
  }
  if (hold !== '') {
    console.log('held');
    // Until it is killed.
    await new Promise(() => setInterval(() => undefined, 1000));
  }
  // Something is done while it is held, or nobody could come in between.
  const end = performance.now() + 1;
  while (performance.now() < end);
  rmSync(witness);
  unlock();
  round++;
}
