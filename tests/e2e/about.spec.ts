import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, launch, repository, temporaryFolder, test, type RunningApp } from './support/app.ts';
import { screenshots } from './support/steps.ts';

test.setTimeout(120_000);
const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string };

test('preferences take effect at once and are there after a restart', async () => {
  const userData = temporaryFolder('preferences');
  const first = await launch(userData);
  const { page } = first;
  await page.keyboard.press('Control+Comma');
  await expect(page.getByRole('heading', { level: 1, name: 'Preferences' })).toBeVisible();
  // Playwright shows every page light, whatever the window says: what the window says is asked of main.
  const theme = (running: RunningApp): Promise<string> =>
    running.app.evaluate(
      ({ nativeTheme }) => `${nativeTheme.themeSource} ${String(nativeTheme.shouldUseDarkColors)}`,
    );
  await page.getByText('Light', { exact: true }).click();
  await expect.poll(() => theme(first)).toBe('light false');
  await page.getByText('Dark', { exact: true }).click();
  await expect.poll(() => theme(first)).toBe('dark true');
  const width = (): Promise<number> => page.evaluate(() => window.innerWidth);
  const before = await width();
  await page.getByTestId('text-size').selectOption('125');
  await expect.poll(width).toBeLessThan(before * 0.85);
  await page.keyboard.press('Control+Minus');
  await expect(page.getByTestId('text-size')).toHaveValue('115');
  // What is clicked while the text becomes smaller is not where it was.
  await expect.poll(width).toBeGreaterThan(before * 0.85);
  await page.getByTestId('prefer-audition').uncheck();
  await page.getByTestId('prefer-background-sounds').uncheck();
  await page.getByTestId('threads').fill('1');
  await page.getByTestId('threads').blur();
  await page.getByTestId('vectors-in-memory').fill('0.5');
  await page.getByTestId('vectors-in-memory').blur();
  await page.getByTestId('copies-limit').fill('2');
  await page.getByTestId('copies-limit').blur();
  const stored = (): unknown => JSON.parse(readFileSync(join(userData, 'preferences.json'), 'utf8'));
  const wanted = {
    theme: 'dark',
    textSize: 115,
    audioDevice: null,
    auditionOnSelect: false,
    soundsInBackground: false,
    threads: 1,
    copiesLimit: 2,
    vectorsInMemory: 0.5,
    importOverQueue: false,
  };
  await expect.poll(stored).toEqual(wanted);
  expect(first.complaints).toEqual([]);
  await first.app.close();

  const second = await launch(userData);
  expect(await theme(second)).toBe('dark true');
  await second.page.getByTestId('nav-preferences').click();
  await expect(second.page.getByTestId('text-size')).toHaveValue('115');
  await expect(second.page.getByTestId('prefer-audition')).not.toBeChecked();
  expect(
    await second.app.evaluate(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows()[0]?.webContents.getZoomFactor(),
    ),
  ).toBeCloseTo(1.15);
  await second.page.getByRole('button', { name: 'As at first' }).click();
  await expect(second.page.getByTestId('text-size')).toHaveValue('100');
  await second.app.close();
});

test('help shows the guide without a network: contents, anchors, links and search', async ({ running }) => {
  const { page, complaints } = running;
  await page.keyboard.press('F1');
  const guide = page.getByTestId('help-page');
  await expect(guide.getByRole('heading', { level: 1 }).first()).toBeVisible();
  const picture = guide.getByRole('img', { name: /^The library:/ });
  await picture.scrollIntoViewIfNeeded();
  await expect.poll(() => picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(1200);
  await screenshots(page, 'help');
  const nav = page.getByLabel('Pages of the guide');
  const last = nav.locator('.inner button').last();
  const title = await last.innerText();
  await last.click();
  await expect(guide.getByRole('heading', { name: title, exact: true })).toBeInViewport();
  await nav.getByRole('button', { name: 'Glossary' }).click();
  await expect(guide.getByRole('cell', { name: 'prototype', exact: true })).toBeVisible();
  await page.getByTestId('help-search').fill('threshold');
  const found = page.getByTestId('help-found').getByRole('button');
  expect(await found.count()).toBeGreaterThan(1);
  await found.first().click();
  await expect(guide).toContainText(/threshold/i);
  await page.getByTestId('help-search').fill('nowhere-at-all');
  await expect(page.getByText('Nothing was found.')).toBeVisible();
  expect(complaints).toEqual([]);
});

test('about names the version, what it runs on, packs, changes and licences', async ({ running }) => {
  const { page } = running;
  await page.getByTestId('nav-about').click();
  const facts = page.getByTestId('about-installation');
  await expect(facts).toContainText(version);
  await expect(facts).toContainText(/Electron\s*\d+\.\d+/);
  await expect(facts).toContainText(/ONNX Runtime\s*\d+\.\d+/);
  await expect(facts).toContainText('Apache-2.0');
  await page.getByText('Changes', { exact: true }).click();
  await expect(page.getByTestId('about-changes')).toContainText(version);
  await page.getByText('Libraries and data', { exact: true }).click();
  await expect(page.getByTestId('about-notices')).toContainText('onnxruntime-node');
  await page.getByText('Licence', { exact: true }).click();
  await expect(page.getByText('Apache License').first()).toBeVisible();
});
