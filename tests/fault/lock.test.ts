import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { lockDataFolder } from '../../engine/storage/lock.ts';
import { bundled } from '../support/bundles.ts';
import { testFolder } from '../support/music.ts';

/** Long: `ARCHETONE_LOCK_ROUNDS=500 npx vitest run tests/fault/lock.test.ts`. */
const rounds = Number(process.env['ARCHETONE_LOCK_ROUNDS'] ?? 40);
let child: string;

describe('the lock of a data folder, between processes', () => {
  beforeAll(async () => {
    child = await bundled('tests/support/lock-child.ts');
  });

  it(
    `never lets two of four in, ${rounds} times each`,
    async () => {
      const folder = testFolder();
      const codes = await Promise.all(
        Array.from({ length: 4 }, async () => {
          const holder = spawn(process.execPath, [child, folder, String(rounds)], { stdio: 'inherit' });
          const [code] = (await once(holder, 'exit')) as [number | null];
          return code;
        }),
      );
      expect(codes).toEqual([0, 0, 0, 0]);
    },
    60_000 + rounds * 1000,
  );

  it('is free once its holder was killed, and says who holds it until then', async () => {
    const folder = testFolder();
    for (let time = 0; time < 3; time++) {
      const holder = spawn(process.execPath, [child, folder, '1', 'hold'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(holder.stdout, 'data');
      expect(() => lockDataFolder(folder)).toThrow(`(process ${holder.pid ?? 0})`);
      holder.kill('SIGKILL');
      await once(holder, 'exit');
      lockDataFolder(folder)();
      rmSync(join(folder, 'held'));
    }
  });
});
