import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { EngineError } from '../../../engine/api/errors.ts';
import { readTextBounded } from '../../../engine/files/read-text.ts';
import { temporaryFolder } from '../../support/temporary.ts';

const missing = (): EngineError => new EngineError('not-found', 'It is not there.');

it('reads text up to its bound, and nothing else', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'labels.csv');
  writeFileSync(path, 'Ångström\n'.repeat(200_000));
  expect(await readTextBounded(path, 10 * 2 ** 20, missing)).toBe('Ångström\n'.repeat(200_000));
  await expect(readTextBounded(path, 2 ** 20, missing)).rejects.toMatchObject({
    code: 'bad-input',
    message: `${path} is larger than 1 MB.`,
  });
  await expect(readTextBounded(join(folder, 'none'), 10, missing)).rejects.toMatchObject({
    code: 'not-found',
  });
  await expect(readTextBounded(folder, 10, missing)).rejects.toBeInstanceOf(EngineError);
});

it.skipIf(process.platform === 'win32')('waits for no pipe and reads no device', async () => {
  const pipe = join(await temporaryFolder(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  for (const path of [pipe, '/dev/zero'])
    await expect(readTextBounded(path, 2 ** 20, missing)).rejects.toMatchObject({
      code: 'bad-input',
      message: `${path} is no file.`,
    });
});
