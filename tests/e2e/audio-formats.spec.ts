import { cpSync, readdirSync, rmSync } from 'node:fs';
import { extname, join } from 'node:path';
import { expect, launch, repository, temporaryFolder, test } from './support/app.ts';
import type { RunningApp } from './support/app.ts';
import { expectPlays, go, jobState, openLibrary, rowOf, soundOf } from './support/steps.ts';

test.describe.configure({ mode: 'serial' });

const fixtures = join(repository, 'tests/fixtures/audio');
/** What stands beside the sounds: how they were made. */
const notAudio = new Set(['.md', '.sh', '.ts', '.mjs']);
const names = readdirSync(fixtures).filter((name) => !notAudio.has(extname(name)));
/** What Chromium has no player for; it gets a WAV copy. */
const transcoded = /\.(aiff|aifc|aac)$|float64|adpcm/;

let running: RunningApp;
let userData: string;
let music: string;

test.beforeAll(async () => {
  userData = temporaryFolder('formats');
  music = temporaryFolder('formats-music');
  for (const name of names) cpSync(join(fixtures, name), join(music, name));
  running = await launch(userData);
});

test.afterAll(async () => {
  await running.app.close();
  rmSync(userData, { recursive: true, force: true });
  rmSync(music, { recursive: true, force: true });
});

test('imports every audio format without a failure', async () => {
  const { page } = running;
  await openLibrary(running, music);
  expect(await jobState(page, 'import', 60_000)).toBe('done');
  await go(page, 'library');
  await expect(page.getByTestId('track-count')).toHaveText(`${String(names.length)} tracks`);
  for (const name of names) {
    await expect(await rowOf(page, name), name).toHaveAttribute('data-state', 'ready');
  }
});

test('plays every one of them', async () => {
  const { page } = running;
  await go(page, 'library');
  for (const name of names) {
    await test.step(name, async () => {
      await expectPlays(page, await rowOf(page, name), 15_000);
      const sound = await soundOf(page);
      // 1.5 s of two tones at amplitude 0.4; AAC may add its priming and its last block.
      expect.soft(sound.seconds, name).toBeGreaterThan(1.45);
      expect.soft(sound.seconds, name).toBeLessThan(1.7);
      expect.soft(sound.rms, name).toBeGreaterThan(0.15);
      expect.soft(sound.rms, name).toBeLessThan(0.35);
      if (transcoded.test(name)) {
        const type = await page.evaluate(
          async (url) => (await fetch(url)).headers.get('content-type'),
          sound.url,
        );
        expect.soft(type, name).toBe('audio/wav');
      }
      await page.getByTestId('stop').click();
    });
  }
  await expect(page.locator('[data-testid=toast][data-tone=error]')).toHaveCount(0);
});
