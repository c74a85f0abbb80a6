import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeBundle } from '../../../engine/bundles/bundle.ts';
import { testFolder } from '../../support/music.ts';

describe('a file that is copied into a bundle', () => {
  it('is the same there', async () => {
    const at = testFolder();
    writeFileSync(join(at, 'sound'), 'as it is');
    const bundle = join(at, 'bundle');
    await writeBundle(bundle, 'test', (to) => to.copy('files/sound', join(at, 'sound')));
    expect(readFileSync(join(bundle, 'files/sound'), 'utf8')).toBe('as it is');
  });

  it.skipIf(process.platform === 'win32')('is refused when it became a named pipe or a folder', async () => {
    const at = testFolder();
    execFileSync('mkfifo', [join(at, 'pipe')]);
    const bundle = join(at, 'bundle');
    for (const source of [join(at, 'pipe'), at])
      await expect(writeBundle(bundle, 'test', (to) => to.copy('files/x', source))).rejects.toMatchObject({
        code: 'unreadable',
      });
    expect(existsSync(bundle)).toBe(false);
  });
});
