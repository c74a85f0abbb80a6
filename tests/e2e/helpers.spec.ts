import type { Locator, Page } from '@playwright/test';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeWav } from '../../models/audio/index.ts';
import { freePort, natsMissing, NatsProcess } from '../support/nats-server.ts';
import { expect, launch, repository, temporaryFolder, test } from './support/app.ts';
import { violations } from './support/axe.ts';
import { answerDialogs, go, screenshots } from './support/steps.ts';

test.setTimeout(300_000);
const TOKEN = 'a-token-of-a-test';
let server: NatsProcess | null = null;
let worker: ChildProcess | null = null;

/** A worker on this machine, as another one would start it. */
function startWorker(queue: NatsProcess, name: string, cache: string): ChildProcess {
  const started = spawn(
    process.execPath,
    [
      join(repository, 'bin', 'archetone.js'),
      ...['worker', '--queue', queue.url, '--name', name, '--cache', cache],
      ...['--batch', '2', '--threads', '1', '--tracks', '1'],
    ],
    { env: { ...process.env, ARCHETONE_QUEUE_TOKEN: TOKEN }, stdio: 'ignore' },
  );
  worker = started;
  return started;
}

/** Pictures show what they are of. */
async function inSight(page: Page, part: Locator): Promise<void> {
  await part.scrollIntoViewIfNeeded();
  // What was pressed is no longer under the mouse.
  await page.mouse.move(0, 0);
}

// Also where the test fails: a worker looks for its server without end.
test.afterEach(async () => {
  worker?.kill('SIGKILL');
  await server?.kill();
});

test('helpers: connects to a queue, imports over it, shows who works, and disconnects', async () => {
  test.skip(natsMissing, 'nats-server is not installed');
  const folder = temporaryFolder('helpers');
  const music = join(folder, 'music');
  for (const height of ['low', 'high']) mkdirSync(join(music, height), { recursive: true });
  for (let i = 0; i < 4; i++) {
    const tone = Float32Array.from(
      { length: 48_000 },
      (_, t) => 0.5 * Math.sin((t * 2 * Math.PI * 110 * (i + 1)) / 24_000),
    );
    writeFileSync(
      join(music, i < 2 ? 'low' : 'high', `tone ${String(i)}.wav`),
      encodeWav(tone, 24_000, 'pcm16'),
    );
  }
  const queue = new NatsProcess(folder, await freePort(), `authorization { token: "${TOKEN}" }`);
  server = queue;
  await queue.start();
  const running = await launch(join(folder, 'data'));
  const { app, page } = running;
  // Native dialogs cannot be driven.
  await app.evaluate(({ dialog }) => {
    dialog.showMessageBox = () => Promise.resolve({ response: 0, checkboxChecked: false });
  });
  await go(page, 'preferences');
  const panel = page.getByTestId('helpers');
  const connect = async (address: string, token: string): Promise<void> => {
    await page.getByTestId('helpers-server').fill(address);
    await page.getByTestId('helpers-token').fill(token);
    await page.getByTestId('helpers-connect').click();
  };
  await connect(queue.url, 'wrong');
  await expect(panel.getByRole('alert')).toContainText('does not let this token in');
  await connect(`nats://127.0.0.1:${String(await freePort())}`, TOKEN);
  await expect(panel.getByRole('alert')).toContainText('There is no queue at');
  await inSight(page, panel);
  expect(await violations(page)).toEqual([]);
  await screenshots(page, 'helpers-connect');
  await connect(queue.url, TOKEN);
  await expect(page.getByTestId('helpers-connected')).toContainText(queue.url);
  await expect(page.getByTestId('no-workers')).toBeVisible();
  await page.getByTestId('helpers-import').check();

  // Imports without a worker wait, and say so.
  await answerDialogs(app, music);
  await go(page, 'welcome');
  await page.getByTestId('open-folder').click();
  await expect(page.getByTestId('import-helpers')).toBeChecked();
  await expect(page.getByTestId('import-progress').getByTestId('no-workers')).toBeVisible();
  const helper = startWorker(queue, 'studio', join(folder, 'cache'));
  await expect(page.getByTestId('track-count')).toHaveText('4 tracks', { timeout: 120_000 });
  await expect(page.getByTestId('import-progress')).toBeHidden({ timeout: 120_000 });
  await go(page, 'preferences');
  const row = page.getByTestId('workers').getByRole('row', { name: 'studio' });
  await expect(row.getByRole('cell').nth(1)).toHaveText('4', { timeout: 20_000 });
  await expect(row.getByRole('cell').nth(3)).toHaveText('0');
  await inSight(page, panel);
  expect(await violations(page)).toEqual([]);
  await screenshots(page, 'helpers');
  const ended = new Promise((resolve) => helper.once('exit', resolve));
  helper.kill('SIGTERM');
  await ended;
  await expect(page.getByTestId('no-workers')).toBeVisible({ timeout: 20_000 });

  // The vectors of an evaluation, of the audio as it is and with noise, wait for a helper, too.
  await go(page, 'library');
  await page.getByTestId('taxonomy-create-folders').click();
  await go(page, 'evaluate');
  await page.getByTestId('evaluation-name').fill('With a helper');
  for (const off of ['random-twin', 'mfcc']) await page.getByTestId(`evaluation-space-${off}`).uncheck();
  await page.getByTestId('evaluation-probe-linear').uncheck();
  await page.getByTestId('evaluation-folds').fill('2');
  await page.getByTestId('evaluation-folds').blur();
  await page.getByTestId('evaluation-helpers').check();
  await page.getByTestId('evaluation-run').click();
  const nobody = page.getByTestId('no-workers');
  await expect(nobody).toBeVisible({ timeout: 60_000 });
  await expect(page.getByTestId('evaluation-helpers')).toBeDisabled();
  await inSight(page, nobody);
  expect(await violations(page)).toEqual([]);
  await screenshots(page, 'helpers-evaluate');
  const second = startWorker(queue, 'attic', join(folder, 'cache'));
  await expect(page.getByTestId('evaluation-cells')).toHaveText('4 of 4 cells', { timeout: 120_000 });
  await go(page, 'preferences');
  const other = page.getByTestId('workers').getByRole('row', { name: 'attic' });
  await expect(other.getByRole('cell').nth(1)).toHaveText('8', { timeout: 20_000 });
  await inSight(page, panel);
  await screenshots(page, 'helpers-evaluated');
  const over = new Promise((resolve) => second.once('exit', resolve));
  second.kill('SIGTERM');
  await over;

  // No file and nothing that was written holds the token.
  expect(readFileSync(join(folder, 'data', 'queue.json'), 'utf8')).not.toContain(TOKEN);
  expect(running.output()).not.toContain(TOKEN);
  await page.getByTestId('helpers-disconnect').click();
  await expect(page.getByTestId('helpers-connect')).toBeVisible();
  await go(page, 'library');
  await expect(page.getByTestId('import-helpers')).toBeHidden();
  await go(page, 'evaluate');
  await expect(page.getByTestId('evaluation-helpers')).toBeHidden();
  expect(running.complaints).toEqual([]);
  await app.close();
  await queue.kill();
  rmSync(folder, { recursive: true, force: true });
});
