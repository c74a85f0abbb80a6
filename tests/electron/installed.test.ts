import { createHash } from 'node:crypto';
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkInstalled } from '../../electron/installed.ts';
import { testFolder } from '../support/music.ts';

describe('files that threads start from', () => {
  it('are refused when they are changed, unknown or gone', async () => {
    const folder = testFolder();
    const worker = join(folder, 'decode-worker.js');
    const hashes = join(folder, 'installed.json');
    writeFileSync(worker, 'export {};');
    const sha256 = createHash('sha256').update('export {};').digest('hex');
    writeFileSync(hashes, JSON.stringify({ 'decode-worker.js': sha256 }));
    await checkInstalled([worker], hashes);

    writeFileSync(join(folder, 'other.js'), 'export {};');
    await expect(checkInstalled([join(folder, 'other.js')], hashes)).rejects.toMatchObject({
      code: 'internal',
    });
    appendFileSync(worker, ' ');
    await expect(checkInstalled([worker], hashes)).rejects.toThrow('not as it was installed');
    rmSync(worker);
    await expect(checkInstalled([worker], hashes)).rejects.toThrow('missing');
  });
});
