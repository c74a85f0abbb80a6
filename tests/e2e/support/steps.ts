import type { ElectronApplication, Locator, Page } from '@playwright/test';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, repository } from './app.ts';
import type { RunningApp } from './app.ts';

const screens = join(repository, 'test-results', 'screens');

/** Sizes of windows in CSS pixels; the last is one of 1360 at a zoom of 200 %. */
export const windowSizes = {
  '1024': { width: 1024, height: 700 },
  '1360': { width: 1360, height: 860 },
  '1920': { width: 1920, height: 1080 },
  'zoom-200': { width: 680, height: 430 },
};

/**
 * Pictures of the window in light and dark, for people to look at: made where `ARCHETONE_SCREENS` is set, since they check
 * nothing, wait 0.6 s each and draw the window twice. Where it is `sizes`, at 1024 px and at a zoom of 200 % as well.
 */
export async function screenshots(page: Page, name: string): Promise<void> {
  const wanted = process.env['ARCHETONE_SCREENS'];
  if (!wanted) return;
  mkdirSync(screens, { recursive: true });
  await inLightAndDark(page, name);
  if (wanted !== 'sizes') return;
  const before = await page.evaluate(() => ({ width: innerWidth, height: innerHeight }));
  for (const size of ['1024', 'zoom-200'] as const) {
    await page.setViewportSize(windowSizes[size]);
    await inLightAndDark(page, `${name}-${size}`);
  }
  await page.setViewportSize(before);
}

async function inLightAndDark(page: Page, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    // The test driver decides what the page takes for the system's theme.
    await page.emulateMedia({ colorScheme });
    await page.waitForTimeout(300);
    await page.screenshot({ path: join(screens, `${name}-${colorScheme}.png`) });
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

/** Answers the next folder and file dialogs with a path; native dialogs cannot be driven. */
export async function answerDialogs(app: ElectronApplication, ...paths: string[]): Promise<void> {
  await app.evaluate(({ dialog }, answers) => {
    let asked = 0;
    dialog.showOpenDialog = () => {
      const answer = answers[Math.min(asked++, answers.length - 1)] ?? '';
      return Promise.resolve({ canceled: false, filePaths: [answer] });
    };
  }, paths);
}

/** Answers the question whether the window may record, from now on; the dialog is the system's own. */
export async function allowMicrophone(app: ElectronApplication, allowed: boolean): Promise<void> {
  await app.evaluate(({ dialog }, response) => {
    dialog.showMessageBox = () => Promise.resolve({ response, checkboxChecked: false });
  }, Number(allowed));
}

export async function go(page: Page, view: string): Promise<void> {
  await page.getByTestId(`nav-${view}`).click();
}

/**
 * Waits until the newest job of a kind has ended and answers with its state.
 * @param nth how many of the kind there are with the one that is meant: until it is there, the newest is the one before
 */
export async function jobState(page: Page, kind: string, timeout: number, nth?: number): Promise<string> {
  await go(page, 'jobs');
  const rows = page.locator(`[data-testid=job-row][data-kind=${kind}]`);
  if (nth !== undefined) await expect(rows).toHaveCount(nth);
  const row = rows.first();
  await expect(row).toHaveAttribute('data-state', /done|failed|cancelled/, { timeout });
  return (await row.getAttribute('data-state')) ?? '';
}

/** Presses play and checks that the audio element really advances; short sounds may be over before we look. */
export async function expectPlays(page: Page, button: Locator, timeout = 60_000): Promise<void> {
  const audio = page.getByTestId('player-audio');
  await audio.evaluate((element: HTMLAudioElement) => {
    element.dataset['reached'] = '0';
    const events: string[] = [];
    let playing = false;
    // Only what this press started counts, not the end of the sound before it.
    const note = (event: Event): void => {
      if (event.type === 'playing') playing = true;
      if (playing && event.type === 'timeupdate') {
        const reached = Math.max(Number(element.dataset['reached']), element.currentTime);
        element.dataset['reached'] = String(reached);
      }
      events.push(`${event.type}@${element.currentTime.toFixed(3)}`);
      element.dataset['events'] = events.join(' ');
    };
    for (const name of [
      'play',
      'playing',
      'pause',
      'timeupdate',
      'seeking',
      'ended',
      'emptied',
      'error',
      'stalled',
    ]) {
      element[`on${name}` as 'onplay'] = note;
    }
  });
  await button.click();
  const reached = (): Promise<number> =>
    audio.evaluate((element: HTMLAudioElement) => Number(element.dataset['reached']));
  await expect
    .poll(reached, { timeout })
    .toBeGreaterThan(0.05)
    .catch(async (thrown: unknown) => {
      throw new Error(`The sound did not play: ${(await audio.getAttribute('data-events')) ?? ''}`, {
        cause: thrown,
      });
    });
  expect(await audio.evaluate((element: HTMLAudioElement) => element.error?.message ?? null)).toBeNull();
}

/** What the audio element holds, decoded: level and length of the real sound. */
export async function soundOf(
  page: Page,
): Promise<{ url: string; seconds: number; rms: number; peak: number }> {
  return page.getByTestId('player-audio').evaluate(async (element: HTMLAudioElement) => {
    const url = element.currentSrc;
    const context = new OfflineAudioContext(1, 1, 24_000);
    const buffer = await context.decodeAudioData(await (await fetch(url)).arrayBuffer());
    const samples = buffer.getChannelData(0);
    let energy = 0;
    let peak = 0;
    for (const sample of samples) {
      energy += sample * sample;
      peak = Math.max(peak, Math.abs(sample));
    }
    return { url, seconds: buffer.duration, rms: Math.sqrt(energy / samples.length), peak };
  });
}

/** Chooses a folder as a person does: by the Welcome view's button and the (answered) dialog. */
export async function chooseFolder({ app, page }: RunningApp, folder: string): Promise<void> {
  await answerDialogs(app, folder);
  await go(page, 'welcome');
  await page.getByTestId('open-folder').click();
}

/** Opens a folder as a library; the window then shows it. */
export async function openLibrary(running: RunningApp, folder: string): Promise<void> {
  await chooseFolder(running, folder);
  await expect(running.page.getByTestId('track-search')).toBeVisible();
}

/** The Library's row of a file, found by its path; the table draws only the rows in sight. */
export async function rowOf(page: Page, path: string): Promise<Locator> {
  await page.getByTestId('track-search').fill(path);
  const row = page.locator(`[data-testid=track-row][data-path="${path}"]`);
  await expect(row).toBeVisible();
  return row;
}

/** How many tracks of the open library are ready, as its filter chips tell; there are none while all are in one state. */
export async function readyTracks(page: Page): Promise<number> {
  const chip = page.getByTestId('filter-ready');
  const row = page.locator('[data-testid=track-row][data-state=ready]');
  const told = (await chip.isVisible())
    ? chip
    : (await row.count()) > 0
      ? page.getByTestId('track-count')
      : null;
  return Number(((await told?.textContent()) ?? '').replace(/\D/g, ''));
}

/** Process id of the engine, as Electron itself reports it. */
export function enginePid(running: RunningApp): Promise<number | null> {
  return pidOf(running, 'Archetone engine');
}

/** Process id of a utility process; null while there is none. */
export function pidOf({ app }: RunningApp, service: string): Promise<number | null> {
  return app.evaluate(
    ({ app: electron }, name) =>
      electron.getAppMetrics().find((metric) => metric.serviceName === name || metric.name === name)?.pid ??
      null,
    service,
  );
}

/** Opens the demo library, waits until it is ready, and takes its labels from file names. */
export async function openLabelledDemo(page: Page): Promise<void> {
  await page.getByTestId('open-demo').click();
  await expect(page.getByTestId('next-step')).toBeVisible({ timeout: 300_000 });
  await page.getByTestId('taxonomy-create-tokens').click();
}
