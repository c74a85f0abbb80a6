/** The player: repeating, selecting, zooming, levels, going on, and where the sound goes. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { encodeWav } from '../../models/audio/index.ts';
import { expect, launch, temporaryFolder, test, type RunningApp } from './support/app.ts';
import { violations } from './support/axe.ts';
import { essentiaJson, taggerGraph, writeNetwork } from '../support/networks.ts';
import { answerDialogs, jobState, go, openLibrary, rowOf, screenshots } from './support/steps.ts';

test.describe.configure({ mode: 'serial' });

const rate = 24_000;
/** One red point. */
const picture = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
let running: RunningApp;
let userData = '';
let music = '';

/** Two notes one after the other. */
function notes(seconds: number, amplitude: number): Float32Array {
  return Float32Array.from({ length: seconds * rate }, (_, i) => {
    const hz = i < (seconds * rate) / 2 ? 440 : 880;
    return amplitude * Math.sin((2 * Math.PI * hz * i) / rate);
  });
}

test.beforeAll(async () => {
  userData = temporaryFolder('player');
  music = temporaryFolder('player-music');
  writeFileSync(join(music, '1-loud.wav'), encodeWav(notes(8, 0.5), rate, 'pcm16'));
  writeFileSync(join(music, '2-quiet.wav'), encodeWav(notes(8, 0.005), rate, 'pcm16'));
  writeFileSync(join(music, 'Folder.png'), picture);
  // Devices that every machine has, also one without a sound card.
  running = await launch(userData, ['--use-fake-device-for-media-stream']);
  await openLibrary(running, music);
  expect(await jobState(running.page, 'import', 100_000)).toBe('done');
  await go(running.page, 'library');
});

test.afterAll(async () => {
  await running.app.close();
  rmSync(userData, { recursive: true, force: true });
  rmSync(music, { recursive: true, force: true });
});

const time = (page: Page): Promise<number> =>
  page.getByTestId('player-audio').evaluate((audio: HTMLAudioElement) => audio.currentTime);
const paused = (page: Page): Promise<boolean> =>
  page.getByTestId('player-audio').evaluate((audio: HTMLAudioElement) => audio.paused);
const shown = async (page: Page): Promise<[number, number]> => {
  const wave = page.getByTestId('waveform');
  return [Number(await wave.getAttribute('data-from')), Number(await wave.getAttribute('data-to'))];
};
const length = ([from, to]: [number, number]): number => to - from;
const position = (page: Page) => page.getByRole('slider', { name: 'Position in the sound' });

async function show(page: Page, file: string): Promise<void> {
  await (await rowOf(page, file)).click();
  await expect(page.getByTestId('waveform')).toBeVisible();
  await page.getByTestId('track-search').fill('');
  // Leaves the field, which would take the keys.
  await page.getByTestId('stop').click();
}

test('keeps its bar low until its tools are folded out, and keeps that', async () => {
  const { page } = running;
  await show(page, '1-loud.wav');
  const bar = page.getByRole('region', { name: 'Player' });
  const height = async (): Promise<number> => (await bar.boundingBox())?.height ?? 0;
  const folded = await height();
  expect(folded).toBeLessThanOrEqual(68);
  await page.keyboard.press('p');
  await expect(page.getByTestId('time-axis')).toBeVisible();
  await expect(page.getByTestId('player-tools')).toHaveAttribute('aria-expanded', 'true');
  await expect.poll(height).toBeGreaterThan(folded);
  await page.getByTestId('player-tools').click();
  await page.keyboard.press('+');
  // Times of a part stand over the drawing: zooming does not move the views above.
  await expect(page.getByTestId('time-axis')).toBeVisible();
  await expect.poll(height).toBe(folded);
  await page.keyboard.press('0');
  await page.getByTestId('player-tools').click();
  await page.reload();
  await expect(page.getByTestId('player-tools')).toHaveAttribute('aria-expanded', 'true');
});

test('repeats what is selected, by the pointer and by keys', async () => {
  const { page } = running;
  await go(page, 'library');
  await show(page, '1-loud.wav');
  const box = await position(page).boundingBox();
  if (!box) throw new Error('no waveform');
  const at = (share: number): [number, number] => [box.x + share * box.width, box.y + box.height / 2];
  await page.keyboard.down('Shift');
  await page.mouse.move(...at(0.25));
  await page.mouse.down();
  await page.mouse.move(...at(0.3), { steps: 4 });
  await page.mouse.up();
  await page.keyboard.up('Shift');
  await expect(page.getByTestId('player-range')).toBeVisible();
  await expect(position(page)).toHaveAttribute('aria-valuetext', /selected 0:02/);
  await page.getByTestId('player-loop').click();
  await expect(page.getByTestId('player-loop')).toHaveAttribute('aria-pressed', 'true');
  await page.getByTestId('play').click();
  // The part lasts 0.4 s: after three times as long it still plays, and stays inside.
  for (let look = 0; look < 8; look++) {
    await page.waitForTimeout(250);
    expect(await paused(page)).toBe(false);
    const now = await time(page);
    expect(now).toBeGreaterThan(1.9);
    expect(now).toBeLessThan(2.8);
  }
  await page.getByTestId('stop').click();
  await position(page).focus();
  await page.keyboard.press(';');
  await expect(page.getByTestId('player-range')).toHaveCount(0);
  await page.keyboard.press('Home');
  await page.keyboard.press('PageDown');
  await page.keyboard.press(',');
  await page.keyboard.press('PageDown');
  await page.keyboard.press('.');
  await expect(position(page)).toHaveAttribute('aria-valuetext', /selected 0:01\.\d+ to 0:03/);
  await page.keyboard.press(';');
  await page.keyboard.press('Home');
  await page.keyboard.press('Shift+PageDown');
  await expect(position(page)).toHaveAttribute('aria-valuetext', /selected 0:00(\.0+)? to 0:01/);
  await page.keyboard.press(';');
  await page.keyboard.press('r');
  await expect(page.getByTestId('player-loop')).toHaveAttribute('aria-pressed', 'false');
});

test('zooms waveform and spectrogram together, with axes of time, Hz and dB', async () => {
  const { page } = running;
  await show(page, '1-loud.wav');
  await page.keyboard.press('g');
  const spectrogram = page.getByTestId('spectrogram');
  await expect(spectrogram.getByText('1 kHz', { exact: true })).toBeVisible();
  await expect(page.getByTestId('spectrogram-legend')).toContainText('−80 dB');
  await expect(page.getByTestId('time-axis')).toContainText('0:04');
  const whole = await shown(page);
  expect(length(whole)).toBeCloseTo(8, 1);
  for (let i = 0; i < 5; i++) await page.keyboard.press('+');
  await expect.poll(async () => length(await shown(page))).toBeCloseTo(8 / 32, 2);
  const near = await shown(page);
  await expect(spectrogram).toHaveAttribute('data-from', String(near[0]));
  await expect(page.getByTestId('time-axis')).toContainText(/0:00\.\d/);
  await screenshots(page, 'player-zoomed');
  const box = await position(page).boundingBox();
  if (!box) throw new Error('no waveform');
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.wheel(400, 0);
  await expect.poll(async () => (await shown(page))[0]).toBeGreaterThan(near[0]);
  await page.mouse.wheel(0, 400);
  await expect.poll(async () => length(await shown(page))).toBeGreaterThan(0.3);
  await page.keyboard.press('0');
  await expect.poll(() => shown(page)).toEqual(whole);
  await page.getByTestId('player-zoom-in').click();
  await expect.poll(async () => length(await shown(page))).toBeCloseTo(4, 1);
  await page.getByTestId('player-zoom-out').click();
  await expect.poll(() => shown(page)).toEqual(whole);
  await screenshots(page, 'player');
});

test('lists outputs without being given a microphone, and sends the sound there', async () => {
  const { page } = running;
  await page.getByTestId('player-options').click();
  const output = page.getByTestId('player-output');
  await expect.poll(() => output.locator('option').count()).toBeGreaterThan(1);
  const other = output.locator('option').nth(1);
  await output.selectOption({ index: 1 });
  const wanted = await other.getAttribute('value');
  const audio = page.getByTestId('player-audio');
  await expect.poll(() => audio.evaluate((element: HTMLAudioElement) => element.sinkId)).toBe(wanted);
  // What raises a sound plays it on an output of its own, which must be the same.
  await audio.evaluate((element) => delete element.dataset['sink']);
  await page.getByTestId('player-gain').focus();
  for (let i = 0; i < 6; i++) await page.keyboard.press('ArrowRight');
  await expect(audio).toHaveAttribute('data-sink', String(wanted));
  await page.getByTestId('play').click();
  await expect.poll(() => time(page)).toBeGreaterThan(0.05);
  await page.getByTestId('stop').click();
  await page.getByTestId('player-options').click();
  // The sound goes on wherever it is sent while it starts: the graph's output changed while it was woken.
  for (let turn = 0; turn < 8; turn++) {
    await page.evaluate((index) => {
      document.querySelector<HTMLElement>('[data-testid=play]')?.click();
      const output = document.querySelector<HTMLSelectElement>('[data-testid=player-output]');
      if (!output) throw new Error('no outputs');
      setTimeout(() => {
        output.selectedIndex = index;
        output.dispatchEvent(new Event('change', { bubbles: true }));
      }, index * 12);
    }, turn % 2);
    await expect.poll(() => time(page), { timeout: 5000 }).toBeGreaterThan(0.1);
    await page.evaluate(() => document.querySelector<HTMLElement>('[data-testid=stop]')?.click());
  }
  await page.getByTestId('player-gain').focus();
  for (let i = 0; i < 6; i++) await page.keyboard.press('ArrowLeft');
  await output.selectOption({ index: 0 });
  await expect(audio).toHaveAttribute('data-sink', '');
  // The preferences have the same choice.
  await go(page, 'preferences');
  await page.getByTestId('audio-device').selectOption(String(wanted));
  await expect(audio).toHaveAttribute('data-sink', String(wanted));
  await page.getByTestId('audio-device').selectOption('');
  await go(page, 'library');
  const microphone = await page.evaluate(() =>
    navigator.mediaDevices.getUserMedia({ audio: true }).then(
      () => 'given',
      (thrown: unknown) => (thrown instanceof Error ? thrown.name : ''),
    ),
  );
  expect(microphone).toBe('NotAllowedError');
  for (const name of ['microphone', 'camera'] as const)
    expect(
      await page.evaluate(async (name) => (await navigator.permissions.query({ name })).state, name),
    ).not.toBe('granted');
});

test('brings quiet and loud to one level, or raises by hand', async () => {
  const { page } = running;
  await show(page, '2-quiet.wav');
  await page.keyboard.press('m');
  await page.getByTestId('play').click();
  const gain = page.getByTestId('player-gain-shown');
  // −49 LUFS; the tone at 880 Hz is a little louder than that at 440.
  await expect(gain).toHaveText(/^\+2[5-7]\.\d dB$/);
  await expect.poll(() => time(page)).toBeGreaterThan(0.05);
  await show(page, '1-loud.wav');
  await page.getByTestId('play').click();
  await expect(gain).toHaveText(/^−1[3-5]\.\d dB$/);
  await page.getByTestId('stop').click();
  await page.keyboard.press('m');
  await expect(gain).toHaveCount(0);
  await page.getByTestId('player-options').click();
  const slider = page.getByTestId('player-gain');
  await slider.focus();
  for (let i = 0; i < 6; i++) await page.keyboard.press('ArrowRight');
  await expect(gain).toHaveText('+6.0 dB');
  await screenshots(page, 'player-options');
  for (let i = 0; i < 6; i++) await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Escape');
  await expect(page.getByTestId('player-options-sheet')).toHaveCount(0);
});

test('goes on to the next track and back, by buttons and keys', async () => {
  const { page } = running;
  await show(page, '1-loud.wav');
  const title = page.getByRole('region', { name: 'Player' }).locator('.title');
  await page.getByTestId('player-next').click();
  await expect(title).toContainText('2-quiet');
  await expect.poll(() => time(page)).toBeGreaterThan(0.05);
  await page.keyboard.press('Alt+PageUp');
  await expect(title).toContainText('1-loud');
  // Nothing is before the first.
  await page.getByTestId('player-previous').click();
  await expect(title).toContainText('1-loud');
  await page.getByTestId('stop').click();
});

test('shows the picture that lies beside the tracks, in a column and in the inspector', async () => {
  const { page } = running;
  await show(page, '1-loud.wav');
  const drawn = (image: HTMLImageElement): number => image.naturalWidth;
  const inInspector = page.getByTestId('why').getByTestId('cover');
  await expect.poll(() => inInspector.evaluate(drawn)).toBe(1);
  await page.locator('[data-column=title]').click({ button: 'right' });
  await page.getByTestId('column-cover').click();
  await page.keyboard.press('Escape');
  const inTable = page.getByTestId('track-row').getByTestId('cover');
  await expect(inTable).toHaveCount(2);
  await expect.poll(() => inTable.first().evaluate(drawn)).toBe(1);
  await page.getByTestId('stop').click();
});

test('what a pack with tags hears is drawn under the sound', async () => {
  const { page } = running;
  const sizes = { frames: 128, bands: 96, dim: 16, classes: 6 };
  const network = writeNetwork(userData, 'tagger', taggerGraph(sizes).onnx, essentiaJson());
  await go(page, 'packs');
  await answerDialogs(running.app, network);
  await page.getByTestId('add-pack-choose').click();
  await page.getByTestId('add-pack-accept').check();
  await page.getByTestId('add-pack-start').click();
  await expect(page.locator('[data-testid=pack][data-pack=discogs-effnet-bsdynamic]')).toBeVisible({
    timeout: 60_000,
  });
  await go(page, 'library');
  await show(page, '1-loud.wav');
  await page.getByTestId('player-tags').selectOption('discogs-effnet-bsdynamic');
  const taggram = page.getByTestId('taggram');
  // 8 s: two windows of 3.04 s with two patches each; the rest of 1.92 s is shorter than a patch.
  await expect(taggram).toHaveAttribute('data-patches', '4', { timeout: 30_000 });
  await expect(taggram).toHaveAttribute('aria-label', /Tags over time, the strongest first: .*\d %/);
  await screenshots(page, 'player-taggram');
  const box = await taggram.boundingBox();
  if (!box) throw new Error('no taggram');
  await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
  await expect.poll(() => time(page)).toBeCloseTo(4, 0);
  // What it hears in all tracks becomes labels of them.
  await page.getByTestId('tag-labels').click();
  await page.getByTestId('tag-labels-name').fill('Heard');
  await page.getByTestId('tag-labels-threshold').fill('0');
  await screenshots(page, 'player-tag-labels');
  await page.getByTestId('tag-labels-start').click();
  await expect(page.getByTestId('taxonomy').locator('option:checked')).toHaveText(/Heard/, {
    timeout: 60_000,
  });
  // Nothing plays on for the journey after this one.
  await page.getByTestId('stop').click();
});

test('what is heard stands in columns, which sort and filter', async () => {
  const { page } = running;
  await page.locator('[data-column=title]').click({ button: 'right' });
  await page.getByTestId('column-tags').click();
  const dialog = page.getByTestId('tag-columns');
  await expect(dialog.getByTestId('tag-columns-heard')).toHaveText(/Heard in 2 of 2 tracks/);
  const boxes = dialog.getByRole('checkbox');
  await expect(boxes).toHaveCount(6);
  await boxes.nth(0).check();
  await boxes.nth(2).check();
  await screenshots(page, 'library-tag-columns');
  await page.getByTestId('tag-columns-close').click();
  const heading = page.locator('[data-column^="tag:discogs-effnet-bsdynamic/"]');
  await expect(heading).toHaveCount(2);
  await heading.first().getByRole('button').click();
  await expect(heading.first()).toHaveAttribute('aria-sort', 'descending');
  const column = await heading
    .first()
    .evaluate((own) => [...(own.parentElement?.children ?? [])].indexOf(own));
  const cells = page.getByTestId('track-row').locator(`[role=gridcell]:nth-child(${String(column + 1)})`);
  const means = (await cells.allTextContents()).map(Number);
  expect(means).toHaveLength(2);
  expect(means.every((mean) => mean >= 0 && mean <= 1)).toBe(true);
  expect(means[0]).toBeGreaterThanOrEqual(means[1] ?? NaN);
  await screenshots(page, 'library-tags');
  await heading.first().click({ button: 'right' });
  await page.getByTestId('column-only').click();
  await expect(page.getByTestId('search-chip')).toHaveText(/^tag:.*>=0\.5/);
  await expect(page.getByTestId('track-count')).toHaveText(/tracks? found/);
  await page.getByTestId('search-chip').click();
  await expect(page.getByTestId('track-row')).toHaveCount(2);
  await page.locator('[data-column=title]').getByRole('button').click();
  await page.locator('[data-column=title]').click({ button: 'right' });
  await page.getByTestId('columns-standard').click();
  await expect(heading).toHaveCount(0);
});

test('has no fault that axe finds, light or dark, and costs nothing when nothing plays', async () => {
  const { page } = running;
  await page.getByTestId('player-options').click();
  const faults: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.waitForTimeout(300);
    faults.push(...(await violations(page, 'section[aria-label=Player]')));
  }
  expect(faults).toEqual([]);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.keyboard.press('Escape');
  await page.waitForTimeout(500);
  // No frame is asked for while nothing moves.
  const frames = await page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const plain = window.requestAnimationFrame.bind(window);
        let asked = 0;
        window.requestAnimationFrame = (callback) => {
          asked++;
          return plain(callback);
        };
        setTimeout(() => {
          window.requestAnimationFrame = plain;
          resolve(asked);
        }, 1500);
      }),
  );
  expect(frames).toBeLessThanOrEqual(1);
});
