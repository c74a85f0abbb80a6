import { rmSync } from 'node:fs';
import { expect, launch, test } from './support/app.ts';
import { importedDemo } from './support/demo.ts';
import type { RunningApp } from './support/app.ts';
import { go, jobState, screenshots } from './support/steps.ts';

test.describe.configure({ mode: 'serial' });

/** Several labels per track, on the demo library with the labels of its file names. */
test.describe('several labels', () => {
  let running: RunningApp;
  let userData = '';

  test.beforeAll(async () => {
    test.setTimeout(500_000);
    userData = await importedDemo('labels');
    running = await launch(userData);
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
});
