import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readDataset } from '../../../models/datasets/index.ts';
import { FileReadError, readBounded } from '../../../models/files/read.ts';
import { temporaryFolder } from '../../support/temporary.ts';

const problemOf = (path: string, most = 100): Promise<unknown> =>
  readBounded(path, most).then(
    (bytes) => bytes.length,
    (thrown: unknown) => (thrown instanceof FileReadError ? thrown.problem : thrown),
  );

it('gives a file whole up to its bound, and says why otherwise', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'a');
  writeFileSync(path, Buffer.from([0, 1, 2, 255]));
  expect([...(await readBounded(path, 4))]).toEqual([0, 1, 2, 255]);
  await expect(readBounded(path, 3)).rejects.toMatchObject({ problem: 'too-large', bytes: 4 });
  expect(await problemOf(join(folder, 'none'))).toBe('missing');
  expect(await problemOf(join(path, 'inside'))).toBe('missing');
  expect(await problemOf(folder)).toBe('not-a-file');
});

it.skipIf(process.platform === 'win32')('waits for no pipe, whoever asks', async () => {
  const folder = await temporaryFolder();
  for (const name of ['set.npz', 'set.csv', 'set.arff', 'set.parquet', 'set.csv.gz']) {
    const pipe = join(folder, name);
    execFileSync('mkfifo', [pipe]);
    expect(await problemOf(pipe)).toBe('not-a-file');
    await expect(readDataset(pipe), name).rejects.toThrow(/is no file|cannot be read/);
  }
  expect(await problemOf('/dev/zero')).toBe('not-a-file');
});
