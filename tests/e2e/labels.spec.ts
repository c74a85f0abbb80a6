import type { Page } from '@playwright/test';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { encodeWav } from '../../models/audio/index.ts';
import { readWav } from '../support/wav.ts';
import { expect, launch, repository, temporaryFolder, test } from './support/app.ts';
import { violations } from './support/axe.ts';
import { importedDemo } from './support/demo.ts';
import type { RunningApp } from './support/app.ts';
import { allowMicrophone, answerDialogs, expectPlays, go, jobState, screenshots } from './support/steps.ts';

test.describe.configure({ mode: 'serial' });

/** What the microphone of this machine hears: a tone, over and over. */
const TONE_HZ = 330;
function writeTone(path: string): void {
  const rate = 48_000;
  const tone = Float32Array.from(
    { length: 4 * rate },
    (_, i) => 0.4 * Math.sin((2 * Math.PI * TONE_HZ * i) / rate),
  );
  writeFileSync(path, encodeWav(tone, rate, 'pcm16'));
}

/** How often a sound swings in a second. */
function pitchOf({ samples, sampleRate }: ReturnType<typeof readWav>): number {
  const periods: number[] = [];
  let last: number | null = null;
  for (let i = 1; i < samples.length; i++) {
    if ((samples[i - 1] ?? 0) >= 0 || (samples[i] ?? 0) < 0) continue;
    if (last !== null) periods.push(i - last);
    last = i;
  }
  return sampleRate / (periods.sort((a, b) => a - b)[periods.length >> 1] ?? NaN);
}

/**
 * Puts files on the clipboard, as a file manager of Linux does.
 * @returns whether this Electron can: newer ones take fewer formats
 */
async function copyFiles({ app }: RunningApp, files: readonly string[]): Promise<boolean> {
  const list = files.map((file) => pathToFileURL(file).href).join('\r\n');
  return app.evaluate(({ clipboard }, uris) => {
    const raw = clipboard as unknown as { writeBuffer?: (format: string, bytes: Buffer) => void };
    raw.writeBuffer?.('text/uri-list', Buffer.from(`${uris}\r\n`));
    return raw.writeBuffer !== undefined;
  }, list);
}

/** Drops files on the middle of the window, as the system does when a person lets go of them. */
async function dropFiles(page: Page, files: string[]): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files, dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
    await session.send('Input.dispatchDragEvent', { type, x: 500, y: 300, data });
  await session.detach();
}

/** Several labels per track, on the demo library with the labels of its file names. */
test.describe('several labels', () => {
  let running: RunningApp;
  let userData = '';

  test.beforeAll(async () => {
    test.setTimeout(500_000);
    userData = await importedDemo('labels');
    const tone = join(userData, 'tone.wav');
    writeTone(tone);
    running = await launch(userData, [
      '--use-fake-device-for-media-stream',
      `--use-file-for-fake-audio-capture=${tone}`,
    ]);
    const { page } = running;
    page.setDefaultTimeout(60_000);
    await page.getByTestId('open-demo').click();
    await expect(page.getByTestId('library-table')).toBeVisible();
    expect(await jobState(page, 'import', 200_000)).toBe('done');
    await go(page, 'train');
    await page.getByTestId('taxonomy-create-tokens').click();
    await page.getByText('Quick', { exact: true }).click();
    await page.getByTestId('train-start').click();
    await expect(page.getByTestId('train-result')).toBeVisible({ timeout: 240_000 });
  });

  test.afterAll(async () => {
    await running.app.close();
    rmSync(userData, { recursive: true, force: true });
  });

  test('the headline and the curve are of one metric, by its name', async () => {
    const { page } = running;
    await expect(page.getByTestId('train-score')).toHaveAttribute('data-metric', 'microF1');
    const value = Number(await page.getByTestId('train-score').getAttribute('data-value'));
    expect(value).toBeGreaterThan(0.3);
    await expect(page.getByTestId('curve')).toContainText('Micro F1');
    await expect(page.getByTestId('metrics')).toContainText('Exact match');
    await expect(page.getByTestId('metrics')).toContainText('Hamming loss');
    await expect(page.getByTestId('train-result')).not.toContainText(/accuracy/i);
    await page.setViewportSize({ width: 1360, height: 1000 });
    await screenshots(page, 'labels-train');
  });

  test('tracks show every predicted label, and what is missing or extra', async () => {
    const { page } = running;
    await go(page, 'library');
    const chips = page.getByTestId('predicted-labels');
    await expect(chips.first()).toBeVisible();
    await expect(page.getByTestId('split-mark').first()).toBeVisible();
    await page.getByTestId('filter-errors').click();
    await expect(page.locator('[data-kind=missing], [data-kind=extra]').first()).toBeVisible();
    await page.getByTestId('track-row').first().click();
    await screenshots(page, 'labels-library');
    await page.getByTestId('filter-clear').click();
    await go(page, 'map');
    await expect(page.getByText('A ring is the second label.')).toBeVisible({ timeout: 60_000 });
    await page.waitForTimeout(1500);
    await screenshots(page, 'labels-map');
  });

  test('a threshold can be set, which is undone like any edit', async () => {
    const { page } = running;
    await go(page, 'train');
    const report = page.getByTestId('class-report');
    const field = report.getByTestId('threshold').first();
    await field.scrollIntoViewIfNeeded();
    const label = (await field.getAttribute('data-label')) ?? '';
    const before = await field.inputValue();
    await field.fill('0.997');
    await field.press('Enter');
    await expect(report).toContainText('set by hand');
    await screenshots(page, 'labels-thresholds');
    await go(page, 'library');
    await page.getByLabel('Filter by prediction').selectOption(label);
    await expect(page.getByText('No track matches')).toBeVisible();
    await page.keyboard.press('Control+z');
    await expect(page.getByTestId('track-row').first()).toBeVisible();
    await go(page, 'train');
    await expect(report.getByTestId('threshold').first()).toHaveValue(before);
    await expect(report).not.toContainText('set by hand');
  });

  test('files that are dropped are classified, explained and heard in the tray, and stay out of the library', async () => {
    test.setTimeout(300_000);
    const { app, page, complaints } = running;
    const samples = join(repository, 'node_modules', 'supersonic-scsynth-samples', 'samples');
    const names = readdirSync(samples).filter((name) => name.endsWith('.flac'));
    const folder = temporaryFolder('tray');
    try {
      const noMusic = join(folder, 'notes.mp3');
      writeFileSync(noMusic, 'this is no music');
      await go(page, 'library');
      const tracks = await page.getByTestId('library-table').getAttribute('data-total');
      await dropFiles(page, [...names.slice(0, 12).map((name) => join(samples, name)), noMusic]);
      const rows = page.getByTestId('tray-row');
      const list = page.getByTestId('tray-list');
      await expect(list).toHaveAttribute('data-rows', '13');
      await expect(list).toBeFocused();
      await expect(rows.first()).toHaveAttribute('data-state', 'done', { timeout: 60_000 });
      await expect(page.locator('[data-testid=tray-row][data-state=waiting]')).toHaveCount(0, {
        timeout: 120_000,
      });
      await expect(rows.first().locator('[data-testid=tray-wave] path')).toHaveAttribute('d', /^M.*Z$/);
      await expect(page.getByTestId('tray-score').first()).toContainText('%');
      const details = page.getByTestId('tray-details');
      const sum = Number(await details.getByTestId('why-sum').getAttribute('data-value'));
      const logit = Number(await details.getByTestId('why-logit').getAttribute('data-value'));
      expect(Math.abs(sum - logit)).toBeLessThan(1e-5);
      await screenshots(page, 'tray');

      // By keys: down and up, to the file that is no music, which says so; it is taken out.
      await page.keyboard.press('End');
      await expect(details).toContainText('notes.mp3');
      await expect(details.getByRole('alert')).toBeVisible();
      await expect(page.getByTestId('tray-play')).toBeDisabled();
      await page.keyboard.press('Delete');
      await expect(list).toHaveAttribute('data-rows', '12');
      await page.keyboard.press('Home');
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        await page.waitForTimeout(200);
        expect(await violations(page), colorScheme).toEqual([]);
      }
      await page.emulateMedia({ colorScheme: 'light' });
      await page.keyboard.press('Escape');
      await page.keyboard.press('t');
      await expect(list).toBeFocused();
      await expectPlays(page, page.getByTestId('tray-play'));

      await page.getByTestId('tray-similar').click();
      await expect(page.getByTestId('similar-query')).toContainText(names[0] ?? 'none');
      await expect(page.getByTestId('similar-row').first()).toBeVisible();
      await page.setViewportSize({ width: 700, height: 800 });
      await screenshots(page, 'tray-narrow');
      await page.setViewportSize({ width: 1360, height: 1000 });

      await list.focus();
      await page.keyboard.press('Escape');
      await expect(page.getByTestId('tray')).toBeHidden();
      await answerDialogs(app, join(samples, names[20] ?? ''));
      await page.keyboard.press('Control+Shift+O');
      await expect(list).toHaveAttribute('data-rows', '13');
      await expect(page.locator(`[data-testid=tray-row][data-name="${names[20] ?? ''}"]`)).toHaveAttribute(
        'data-state',
        'done',
        { timeout: 60_000 },
      );
      // Out again by the menu of a row, and by dragging.
      await rows.nth(1).click({ button: 'right' });
      await expect(page.getByTestId('tray-menu')).toBeVisible();
      await screenshots(page, 'tray-menu');
      await page.getByTestId('menu-remove').click();
      await expect(list).toHaveAttribute('data-rows', '12');
      await app.evaluate(({ BrowserWindow }) => {
        const window = BrowserWindow.getAllWindows()[0];
        if (window)
          window.webContents.startDrag = ({ files }) => {
            (globalThis as { dragged?: string[] | undefined }).dragged = files;
          };
      });
      await rows
        .first()
        .dispatchEvent('dragstart', { dataTransfer: await page.evaluateHandle(() => new DataTransfer()) });
      await expect
        .poll(() => app.evaluate(() => (globalThis as { dragged?: string[] }).dragged))
        .toEqual([join(samples, names[0] ?? '')]);

      // Fifty at once: all are answered.
      await page.getByTestId('tray-clear').click();
      await expect(page.getByTestId('tray')).toContainText('Drop audio files here');
      await dropFiles(
        page,
        names.slice(20, 70).map((name) => join(samples, name)),
      );
      await expect(list).toHaveAttribute('data-rows', '50');
      await page.getByTestId('tray-list').focus();
      await page.keyboard.press('End');
      await expect(rows.last()).toHaveAttribute('data-state', 'done', { timeout: 200_000 });
      await expect(page.getByTestId('tray-cancel')).toBeHidden();
      await expect(page.locator('[data-testid=tray-row]:not([data-state=done])')).toHaveCount(0);
      await screenshots(page, 'tray-fifty');
      await page.getByTestId('tray-clear').click();
      await expect(page.getByTestId('tray')).toContainText('Drop audio files here');
      await page.getByTestId('tray-close').click();
      await go(page, 'library');
      await expect(page.getByTestId('library-table')).toHaveAttribute('data-total', tracks ?? '');
      expect(complaints).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('files of the clipboard are classified, and text that is pasted into a field stays there', async () => {
    test.skip(process.platform !== 'linux', 'other systems put files on the clipboard in their own way');
    const { app, page, complaints } = running;
    const samples = join(repository, 'node_modules', 'supersonic-scsynth-samples', 'samples');
    const names = readdirSync(samples).filter((name) => name.endsWith('.flac'));
    await go(page, 'library');
    const copied = await copyFiles(
      running,
      names.slice(0, 2).map((name) => join(samples, name)),
    );
    test.skip(!copied, 'the clipboard of this Electron cannot be given files by a program');
    await page.getByTestId('library-table').focus();
    await page.keyboard.press('Control+v');
    const list = page.getByTestId('tray-list');
    await expect(list).toHaveAttribute('data-rows', '2');
    for (const name of names.slice(0, 2))
      await expect(page.locator(`[data-testid=tray-row][data-name="${name}"]`)).toHaveAttribute(
        'data-state',
        'done',
        { timeout: 60_000 },
      );
    // A field takes text, and no files.
    const search = page.getByTestId('track-search');
    await search.focus();
    await page.keyboard.press('Control+v');
    await app.evaluate(({ clipboard }) => clipboard.writeText('tabla'));
    await search.fill('');
    await page.keyboard.press('Control+v');
    await expect(search).toHaveValue('tabla');
    // Nor does text that is pasted beside fields do anything. Nothing is called “tabla”, and there would be no table.
    await search.fill('');
    await page.getByTestId('library-table').focus();
    await page.keyboard.press('Control+v');
    await expect(list).toHaveAttribute('data-rows', '2');
    await page.getByTestId('tray-clear').click();
    expect(complaints).toEqual([]);
  });

  test('what is recorded from the microphone is classified, looked for, and deleted', async () => {
    test.setTimeout(300_000);
    const { app, page, complaints } = running;
    const recordings = join(userData, 'recordings');
    const list = page.getByTestId('tray-list');
    const record = async (panel: 'tray' | 'similar-view', seconds: number): Promise<void> => {
      const recorder = page.getByTestId(panel).getByTestId('record-panel');
      await recorder.getByTestId('record-start').click();
      await expect(recorder).toHaveAttribute('data-state', 'recording');
      const level = recorder.getByTestId('record-level');
      await expect.poll(async () => Number(await level.getAttribute('aria-valuenow'))).toBeGreaterThan(-20);
      const time = recorder.getByTestId('record-time');
      await expect
        .poll(async () => Number(/0:(\d+\.\d)/.exec((await time.textContent()) ?? '')?.[1]))
        .toBeGreaterThanOrEqual(seconds);
      await screenshots(page, `recording-${panel}`);
      await recorder.getByTestId('record-stop').click();
      await expect(recorder).toHaveAttribute('data-state', 'idle');
    };
    await go(page, 'library');
    await page.keyboard.press('Control+Shift+R');
    const panel = page.getByTestId('tray').getByTestId('record-panel');
    await allowMicrophone(app, false);
    await panel.getByTestId('record-start').click();
    await expect(panel.getByRole('alert')).toContainText('not allowed');
    const asked = (wanted: MediaStreamConstraints): Promise<string> =>
      page.evaluate(
        (constraints) =>
          navigator.mediaDevices.getUserMedia(constraints).then(
            (stream) => {
              for (const track of stream.getTracks()) track.stop();
              return 'given';
            },
            (thrown: unknown) => (thrown instanceof Error ? thrown.name : ''),
          ),
        wanted,
      );
    expect(await asked({ audio: true })).toBe('NotAllowedError');

    await allowMicrophone(app, true);
    await record('tray', 1.5);
    const row = page.getByTestId('tray-row').first();
    await expect(row).toHaveAttribute('data-name', /^recording-.*\.wav$/);
    await expect(row).toHaveAttribute('data-state', 'done', { timeout: 60_000 });
    await expect(page.getByTestId('tray-score').first()).toContainText('%');
    const [file = ''] = readdirSync(recordings);
    const sound = readWav(readFileSync(join(recordings, file)));
    expect(sound.samples.length / sound.sampleRate).toBeGreaterThan(1.4);
    // The made-up device may begin with silence.
    const heard = sound.samples.subarray(sound.samples.findIndex((sample) => Math.abs(sample) > 0.05));
    expect(pitchOf({ ...sound, samples: heard })).toBeCloseTo(TONE_HZ, -1);
    expect(heard.reduce((most, sample) => Math.max(most, sample), 0)).toBeGreaterThan(0.3);
    // No camera, nor one beside the microphone.
    expect(await asked({ video: true })).toBe('NotAllowedError');
    expect(await asked({ audio: true, video: true })).toBe('NotAllowedError');
    // Nor the screen, which Electron gives whoever is let in; for that beside the microphone Chromium ends the page.
    const screen = { mandatory: { chromeMediaSource: 'desktop' } } as MediaTrackConstraints;
    expect(await asked({ video: screen })).toBe('NotAllowedError');

    // Discarded: nothing is kept.
    await panel.getByTestId('record-start').click();
    await expect(panel).toHaveAttribute('data-state', 'recording');
    await panel.getByTestId('record-cancel').click();
    await expect(panel).toHaveAttribute('data-state', 'idle');
    expect(readdirSync(recordings)).toHaveLength(1);

    // As a query, with another one mixed in; whoever leaves while it records finds it among the earlier ones.
    await expectPlays(page, page.getByTestId('tray-play'));
    await page.getByTestId('tray-similar').click();
    await expect(page.getByTestId('similar-query')).toContainText(file);
    await expect(page.getByTestId('similar-row').first()).toBeVisible();
    await page.getByTestId('similar-record').click();
    await record('similar-view', 0.5);
    await expect(page.getByTestId('similar-query')).toHaveCount(2);
    await expect(page.getByTestId('similar-row').first()).toBeVisible();
    await page.getByTestId('similar-view').getByTestId('record-start').click();
    await expect(page.getByTestId('similar-view').getByTestId('record-panel')).toHaveAttribute(
      'data-state',
      'recording',
    );
    await page.waitForTimeout(800);
    await go(page, 'library');
    await expect(page.getByTestId('toast').filter({ hasText: 'The recording is kept.' })).toBeVisible();
    expect(readdirSync(recordings)).toHaveLength(3);
    await expect(panel.getByTestId('record-earlier')).toContainText('Earlier recordings (3)');
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.waitForTimeout(200);
      expect(await violations(page), colorScheme).toEqual([]);
    }
    await page.emulateMedia({ colorScheme: 'light' });

    // Deleted one by one, or all; nothing else deletes them.
    await page.getByTestId('tray-delete').click();
    await page.getByTestId('confirm').click();
    await expect(list).toHaveCount(0);
    expect(existsSync(join(recordings, basename(file)))).toBe(false);
    await go(page, 'preferences');
    await expect(page.getByTestId('recordings-size')).toContainText('2 recordings');
    await page.getByTestId('recordings').scrollIntoViewIfNeeded();
    await screenshots(page, 'recordings');
    await page.getByTestId('recordings-delete').click();
    await page.getByTestId('confirm').click();
    await expect(page.getByTestId('recordings')).toContainText('There are none.');
    expect(readdirSync(recordings)).toEqual([]);
    expect(complaints).toEqual([]);
  });
});
