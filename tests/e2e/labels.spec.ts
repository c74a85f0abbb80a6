import type { Page } from '@playwright/test';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, launch, repository, temporaryFolder, test } from './support/app.ts';
import { violations } from './support/axe.ts';
import { importedDemo } from './support/demo.ts';
import type { RunningApp } from './support/app.ts';
import { answerDialogs, expectPlays, go, jobState, screenshots } from './support/steps.ts';

test.describe.configure({ mode: 'serial' });

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
});
