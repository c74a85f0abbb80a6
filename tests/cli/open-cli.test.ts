import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';
import { testFolder } from '../support/music.ts';

const root = resolve(import.meta.dirname, '../..');
const canRun = process.platform !== 'win32' && existsSync(join(root, 'dist', 'electron', 'main.js'));

it.skipIf(!canRun)(
  'starts Electron on the folder of package.json, which names the data folder',
  { timeout: 60_000 },
  async () => {
    const electron = testFolder();
    const told = join(electron, 'told');
    const script = `#!/bin/sh\nprintf '%s\\n' "$@" > '${told}.part' && mv '${told}.part' '${told}'\n`;
    writeFileSync(join(electron, 'electron'), script, { mode: 0o755 });
    const music = testFolder();
    const run = await runCli(['open', music, '--json'], { env: { ELECTRON_OVERRIDE_DIST_PATH: electron } });
    expect(run.json()).toMatchObject({ started: true, folder: music });
    await expect.poll(() => existsSync(told), { timeout: 30_000 }).toBe(true);
    expect(readFileSync(told, 'utf8')).toBe(`${root}\n${music}\n`);
  },
);
