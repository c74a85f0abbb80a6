/** Sounds of prototypes that are made ahead, in the background. */
import { rmSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { expect, launch, test, type RunningApp } from './support/app.ts';
import { importedDemo } from './support/demo.ts';
import { go, jobState, screenshots } from './support/steps.ts';

test.describe.configure({ mode: 'serial' });

let running: RunningApp;
let userData = '';

test.beforeAll(async () => {
  userData = await importedDemo('sounds');
  running = await launch(userData);
});

test.afterAll(async () => {
  await running.app.close();
  rmSync(userData, { recursive: true, force: true });
});

const rows = (page: Page) => page.locator('[data-testid=job-row][data-kind=background-sounds]');

/** Milliseconds from the press to the sound, measured in the window. */
async function untilHeard(page: Page, card: number): Promise<number> {
  return page.evaluate(
    (index) =>
      new Promise<number>((resolve, reject) => {
        const audio = document.querySelector<HTMLAudioElement>('[data-testid=player-audio]');
        const button = document.querySelectorAll<HTMLButtonElement>('[data-testid=prototype-a]')[index];
        if (!audio || !button) {
          reject(new Error('nothing to press'));
          return;
        }
        const pressed = performance.now();
        audio.addEventListener('playing', () => resolve(performance.now() - pressed), { once: true });
        button.click();
      }),
    card,
  );
}

test('are made after a training, by a job with a name, and nothing plays by itself', async () => {
  const { page } = running;
  await page.getByTestId('open-demo').click();
  await expect(page.getByTestId('library-table')).toBeVisible();
  expect(await jobState(page, 'import', 200_000)).toBe('done');
  await go(page, 'library');
  await page.getByTestId('taxonomy-create-tokens').click();
  await go(page, 'train');
  await page.getByText('One class', { exact: true }).click();
  await page.getByTestId('train-more').click();
  await page.getByTestId('train-prototypes').fill('2');
  await page.getByTestId('train-steps').fill('100');
  await page.getByTestId('train-steps').press('Enter');
  await page.getByTestId('train-start').click();
  await expect(page.getByTestId('train-score')).toBeVisible({ timeout: 120_000 });
  await go(page, 'jobs');
  await expect(rows(page)).toHaveCount(1, { timeout: 30_000 });
  await expect(rows(page)).toContainText('in the background');
  await go(page, 'prototypes');
  await expect(page.getByTestId('sonify-background')).toBeChecked();
  await screenshots(page, 'sounds-background');
  await expect(page.getByTestId('sonify-all')).toHaveText(/All sonified/, { timeout: 300_000 });
  expect(await jobState(page, 'background-sounds', 10_000)).toBe('done');
  const audio = page.getByTestId('player-audio');
  expect(await audio.evaluate((element: HTMLAudioElement) => element.played.length)).toBe(0);
});

test('are heard at once', async () => {
  const { page } = running;
  await go(page, 'prototypes');
  await expect(page.getByTestId('prototype-card').first()).toBeVisible();
  const times: number[] = [];
  for (let card = 0; card < 2; card++) times.push(await untilHeard(page, card));
  console.log(`from the press of A to its sound: ${times.map((ms) => ms.toFixed(0)).join(', ')} ms`);
  expect(Math.min(...times)).toBeLessThan(1000);
  await page.getByTestId('stop').click();
  await go(page, 'jobs');
  await expect(page.locator('[data-testid=job-row][data-kind=sonify]')).toHaveCount(0);
});

test('are not made again by the next start, nor at all where that is switched off', async () => {
  await running.app.close();
  running = await launch(userData);
  const { page } = running;
  // The view that was open last is taken up again, when the library is there.
  await expect(rows(page)).toHaveCount(1, { timeout: 30_000 });
  await go(page, 'prototypes');
  await expect(page.getByTestId('sonify-all')).toHaveText(/All sonified/);
  // Longer than what is wanted must have been wanted for.
  await page.waitForTimeout(5000);
  await go(page, 'jobs');
  await expect(rows(page)).toHaveCount(1);
  await go(page, 'prototypes');
  await page.getByTestId('sonify-background').uncheck();
  await page.getByTestId('prototype-card').first().getByTestId('prototype-delete').click();
  await page.getByTestId('edit-apply').click();
  await expect(page.getByText('revision 2').first()).toBeVisible();
  await page.waitForTimeout(5000);
  await go(page, 'jobs');
  await expect(rows(page)).toHaveCount(1);
});
