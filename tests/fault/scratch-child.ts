/** Works in a scratch folder and tells its name, for a test to kill meanwhile. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inScratch } from '../../engine/files/scratch.ts';

await inScratch('child', async (folder) => {
  await writeFile(join(folder, 'half.wav'), 'half');
  process.stdout.write(folder);
  await new Promise((resolve) => setTimeout(resolve, 60_000));
});
