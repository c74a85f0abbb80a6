import { fork } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { confinement, unconfined } from '../../engine/embedder/confine.ts';
import type { Launcher } from '../../engine/embedder/confine.ts';
import { bundleScript, testFolder } from '../support/engine.ts';

const server = createServer((socket) => socket.destroy());
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => void server.close());

async function attempt(launcher: Launcher, elsewhere: readonly string[] = []): Promise<unknown> {
  const folder = testFolder();
  writeFileSync(join(folder, 'there'), '');
  const script = await bundleScript('tests/support/escape-child.ts');
  const child = fork(script, [folder, String((server.address() as AddressInfo).port), ...elsewhere], {
    ...launcher,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const told = await new Promise((resolve, reject) => {
    child.on('message', resolve);
    child.on('exit', (code) => reject(new Error(`ended with ${String(code)}`)));
  });
  expect(existsSync(join(folder, `.escaped-${child.pid ?? 0}`))).toBe(launcher === unconfined);
  return told;
}

const offered = confinement() !== unconfined;

describe('the process that runs the graphs of packs', () => {
  it.skipIf(!offered)(
    'reaches no network and writes nothing (Linux with namespaces for everybody)',
    async () => {
      expect(await attempt(confinement(), ['/tmp', '/var/tmp', process.cwd(), homedir()])).toEqual({
        reached: false,
        read: true,
        wrote: [],
      });
    },
  );

  it('could do both if nothing kept it in', async () => {
    expect(await attempt(unconfined)).toMatchObject({ reached: true, read: true });
  });
});
