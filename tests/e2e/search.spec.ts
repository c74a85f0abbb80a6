import { rmSync } from 'node:fs';
import { expect, launch, test } from './support/app.ts';
import { importedDemo } from './support/demo.ts';
import type { RunningApp } from './support/app.ts';
import { openLabelledDemo, screenshots } from './support/steps.ts';

test.describe.configure({ mode: 'serial' });

test.describe('a search', () => {
  let running: RunningApp;
  let userData = '';

  test.beforeAll(async () => {
    test.setTimeout(400_000);
    userData = await importedDemo('search');
    running = await launch(userData);
    const { page } = running;
    page.setDefaultTimeout(60_000);
    await openLabelledDemo(page);
    await expect(page.getByTestId('taxonomy')).toBeVisible();
  });

  test.afterAll(async () => {
    await running.app.close();
    rmSync(userData, { recursive: true, force: true });
  });

  test('completes fields and their values, by keyboard alone', async () => {
    const { page } = running;
    const field = page.getByTestId('track-search');
    const offered = page.getByTestId('search-offered').getByRole('option');
    await page.getByTestId('library-table').getByRole('grid').focus();
    await page.keyboard.press('/');
    await expect(field).toBeFocused();
    await page.keyboard.type('la');
    await expect(offered).toHaveText([/label:.*label in the chosen taxonomy/]);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await expect(field).toHaveValue('label:');
    await page.keyboard.type('tab');
    await expect(offered.first()).toContainText(/tabla.*27 tracks/);
    await screenshots(page, 'search-completion');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await expect(field).toHaveValue('label:tabla ');
    await expect(page.getByTestId('track-count')).toContainText('27 tracks found');
    await page.keyboard.type('-tabla_te len<10');
    await expect(page.getByTestId('track-count')).not.toContainText('27');
    await expect(page.getByTestId('search-chip')).toHaveText([/^label:tabla/, /^-tabla_te/, /^len<10/]);
    for (const label of await page
      .getByTestId('track-row')
      .evaluateAll((rows) => rows.map((row) => row.getAttribute('data-label')))) {
      expect(label?.split(',')).toContain('tabla');
    }
    await page.getByTestId('search-chip').nth(1).click();
    await expect(field).toHaveValue('label:tabla len<10');
  });

  test('says what is wrong with it, where, and keeps what was found until it is right', async () => {
    const { page } = running;
    const field = page.getByTestId('track-search');
    const problem = page.getByTestId('search-problem');
    await field.fill('tabla');
    await expect(page.getByTestId('track-count')).toContainText('27 tracks found');
    await field.fill('tabla lable:x');
    await expect(problem).toContainText('There is no field “lable”. Did you mean label?');
    await expect(page.getByTestId('track-count')).toContainText('27 tracks found');
    await field.fill('label:tabal');
    await expect(problem).toContainText('No label of the taxonomy is called “tabal”.');
    await field.fill('p<0.5');
    await expect(problem).toContainText('“p” means nothing without an experiment.');
    await screenshots(page, 'search-problem');
    await field.fill('');
    await expect(problem).toBeHidden();
    await expect(page.getByTestId('track-count')).toContainText('207 tracks');
  });

  test('is kept under a name, renamed, removed and brought back', async () => {
    const { page } = running;
    await page.getByTestId('track-search').fill('label:tabla');
    await expect(page.getByTestId('track-count')).toContainText('27');
    await page.getByTestId('saved-searches').click();
    await page.getByTestId('saved-name').fill('Tablas');
    await page.getByTestId('saved-save').click();
    const row = page.getByTestId('saved-row');
    await expect(row).toContainText('Tablas');
    await page.getByTestId('saved-rename').click();
    await page.getByTestId('saved-new-name').fill('Every tabla');
    await page.keyboard.press('Enter');
    await expect(row).toContainText('Every tabla');
    await screenshots(page, 'saved-searches');
    // The first press leaves the name as it was, the next one closes the list.
    await page.getByTestId('saved-rename').click();
    await page.getByTestId('saved-new-name').fill('Something else');
    await page.keyboard.press('Escape');
    await expect(page.getByTestId('saved-new-name')).toHaveCount(0);
    await expect(row).toContainText('Every tabla');
    await page.keyboard.press('Escape');
    await expect(row).toHaveCount(0);
    await page.getByTestId('track-search').fill('');
    await expect(page.getByTestId('track-count')).toContainText('207');
    await page.getByTestId('saved-searches').click();
    await row.getByRole('button', { name: /^Every tabla/ }).click();
    await expect(page.getByTestId('track-search')).toHaveValue('label:tabla');
    await expect(page.getByTestId('track-count')).toContainText('27');
    await page.getByTestId('saved-searches').click();
    await page.getByTestId('saved-remove').click();
    await expect(row).toHaveCount(0);
    await page.keyboard.press('Escape');
    await page.getByTestId('library-table').getByRole('grid').focus();
    await page.keyboard.press('Control+z');
    await page.getByTestId('saved-searches').click();
    await expect(row).toContainText('Every tabla');
    await page.keyboard.press('Escape');
  });

  test('leaves the bar one line high where a taxonomy is chosen and the inspector is open', async () => {
    const { page, app } = running;
    await expect(page.getByTestId('open-inspector')).toHaveCount(0);
    for (const width of [1360, 1280, 1024]) {
      await app.evaluate(({ BrowserWindow }, w) => BrowserWindow.getAllWindows()[0]?.setSize(w, 800), width);
      const bar = page.getByTestId('library-bar');
      await expect.poll(() => page.evaluate(() => innerWidth)).toBeLessThanOrEqual(width);
      const tops = await bar.locator(':is(input, select, button)').evaluateAll((all) =>
        all
          .filter((one) => one.getClientRects().length > 0)
          .map((one) => one.getBoundingClientRect())
          .map(({ top, height }) => Math.round(top + height / 2)),
      );
      expect(Math.max(...tops) - Math.min(...tops), String(width)).toBeLessThan(8);
    }
  });
});
