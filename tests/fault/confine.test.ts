import { fork } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundled } from '../support/bundles.ts';
import { testFolder } from '../support/music.ts';

const folder = testFolder();
const servers: Server[] = [];
const listening = (at: number | string): Promise<Server> =>
  new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    servers.push(server);
    server.listen(at, () => resolve(server));
  });
let port = 0;
beforeAll(async () => {
  port = ((await listening(0)).address() as AddressInfo).port;
  await listening(join(folder, 'socket'));
});
afterAll(() => servers.forEach((server) => server.close()));

async function attempt(how: 'confined' | 'graphics' | 'programs' | 'free'): Promise<unknown> {
  writeFileSync(join(folder, 'there'), 'kept');
  const script = await bundled('tests/support/escape-child.ts');
  const child = fork(script, [how, folder, String(port)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  return new Promise((resolve, reject) => {
    child.on('message', resolve);
    child.on('exit', (code) => reject(new Error(`ended with ${String(code)}`)));
  });
}

const ways = [
  ...['network', 'socketOfPrograms', 'datagram', 'program', 'signalParent', 'write', 'writeOnPool'],
  ...['programNetwork', 'programWrites', 'programRemoves', 'programSignals', 'ffmpegWrites'],
  ...['writeOnEarlyThread', 'makeFolder', 'truncate', 'rights', 'rename', 'remove'],
];
const all = (could: boolean): Record<string, boolean> => Object.fromEntries(ways.map((way) => [way, could]));

describe('a process that gave up its rights', () => {
  it.skipIf(process.platform !== 'linux')(
    'reaches no network, starts and signals no program and changes no file, on whichever thread',
    async () => {
      expect(await attempt('confined')).toEqual({
        ...all(false),
        read: true,
        kept: { calls: true, files: 'none', reason: '' },
      });
      expect(readFileSync(join(folder, 'there'), 'utf8')).toBe('kept');
    },
  );

  it.skipIf(process.platform !== 'linux')(
    'may start programs where it reads files, which reach and change as little, ffmpeg too',
    async () => {
      expect(await attempt('programs')).toEqual({
        ...all(false),
        ...{ program: true, read: true },
        kept: { calls: true, files: 'none', reason: '' },
      });
      expect(readFileSync(join(folder, 'there'), 'utf8')).toBe('kept');
    },
  );

  it.skipIf(process.platform !== 'linux')(
    'is kept from files by its thread where a graphics card must be reached',
    async () => {
      const told = await attempt('graphics');
      expect(told).toMatchObject({
        kept: { calls: true, files: 'devices', reason: '' },
        ...{ network: false, datagram: false, program: false, write: false, remove: false },
      });
    },
  );

  it('could do all of it if nothing kept it in', async () => {
    expect(await attempt('free')).toEqual({ ...all(true), read: true, kept: null });
  });
});
