import { readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { limitFolder, touch } from '../../../engine/files/limit-folder.ts';
import { testFolder } from '../../support/music.ts';

it('drops what was used longest ago, and never what is asked for or being written', async () => {
  const folder = testFolder();
  for (const [n, name] of ['kept.wav', 'a.wav', 'b.wav', 'c.wav', 'd.wav.part'].entries()) {
    writeFileSync(join(folder, name), Buffer.alloc(100));
    utimesSync(join(folder, name), 1000 + n, 1000 + n);
  }
  await touch(join(folder, 'a.wav'));
  await touch(join(folder, 'gone.wav'));
  await limitFolder(folder, 400, join(folder, 'kept.wav'));
  expect(readdirSync(folder)).toHaveLength(5);
  await limitFolder(folder, 250, join(folder, 'kept.wav'));
  expect(readdirSync(folder).sort()).toEqual(['a.wav', 'd.wav.part', 'kept.wav']);
});
