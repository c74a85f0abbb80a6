import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, launch, temporaryFolder, test } from './support/app.ts';
import { importedDemo } from './support/demo.ts';
import type { RunningApp } from './support/app.ts';
import { answerDialogs, go, openLabelledDemo, screenshots } from './support/steps.ts';

test.describe.configure({ mode: 'serial' });

/** What is done with several tracks at once. */
test.describe('a selection', () => {
  let running: RunningApp;
  let userData = '';
  let exports = '';

  test.beforeAll(async () => {
    test.setTimeout(400_000);
    userData = await importedDemo('selection');
    exports = temporaryFolder('selection-exports');
    running = await launch(userData);
    const { page } = running;
    page.setDefaultTimeout(60_000);
    await openLabelledDemo(page);
    await page.getByTestId('track-search').fill('tabla');
    await expect(page.getByTestId('track-count')).toContainText('27');
    await page.getByTestId('track-row').first().click();
    await page
      .getByTestId('track-row')
      .nth(2)
      .click({ modifiers: ['Shift'] });
  });

  test.afterAll(async () => {
    await running.app.close();
    for (const folder of [userData, exports]) rmSync(folder, { recursive: true, force: true });
  });

  test('has a bar from two tracks on, which labels them all, with undo', async () => {
    const { page } = running;
    const bar = page.getByTestId('selection-bar');
    await expect(bar).toContainText('3 tracks');
    await page.getByTestId('selection-label').fill('clay');
    await page.getByTestId('selection-add-label').click();
    const labelled = page.locator('[data-testid=track-row][data-label*=clay]');
    await expect(labelled).toHaveCount(3);
    await screenshots(page, 'selection-bar');
    await page.getByTestId('selection-remove-label').click();
    await expect(labelled).toHaveCount(0);
    await page.getByTestId('library-table').getByRole('grid').focus();
    await page.keyboard.press('Control+z');
    await expect(labelled).toHaveCount(3);
    await page.keyboard.press('Control+z');
    await expect(labelled).toHaveCount(0);
  });

  test('is played through, one track after the other', async () => {
    const { page } = running;
    const audio = page.getByTestId('player-audio');
    await page.getByTestId('selection-play').click();
    const urls = new Set<string>();
    await expect
      .poll(
        async () => urls.add(await audio.evaluate((element: HTMLAudioElement) => element.currentSrc)).size,
        {
          timeout: 60_000,
          intervals: [100],
        },
      )
      .toBeGreaterThan(2);
  });

  test('has a menu, also by keyboard, and can be left out of training', async () => {
    const { page } = running;
    await page.getByTestId('library-table').getByRole('grid').focus();
    await page.keyboard.press('Shift+F10');
    const menu = page.getByTestId('track-menu');
    await expect(menu).toBeVisible();
    await screenshots(page, 'selection-menu');
    await page.keyboard.press('Escape');
    await expect(menu).toBeHidden();
    await page.getByTestId('track-row').nth(1).click({ button: 'right' });
    await page.getByTestId('menu-leave-out').click();
    const leftOut = page.getByTestId('track-row').getByLabel('left out of training');
    await expect(leftOut).toHaveCount(3);
    await page.getByTestId('track-row').nth(5).click({ button: 'right' });
    await expect(page.getByTestId('selection-bar')).toBeHidden();
    await page.keyboard.press('Escape');
    await page.getByTestId('library-table').getByRole('grid').focus();
    await page.keyboard.press('Control+z');
    await expect(leftOut).toHaveCount(0);
  });

  test('leads to what sounds like it, and like several sounds together', async () => {
    const { page } = running;
    await page.getByTestId('track-row').first().click();
    const asked = await page.getByTestId('track-row').first().getAttribute('data-path');
    await page.keyboard.press('Shift+S');
    const rows = page.getByTestId('similar-row');
    await expect(rows.first()).toBeVisible();
    await expect(page.getByTestId('similar-query')).toHaveCount(1);
    await expect(page.locator(`[data-testid=similar-row][data-path="${asked ?? ''}"]`)).toHaveCount(0);
    await expect(page.getByTestId('similar-shares')).toContainText('%');
    await expect(page.getByTestId('similar-count')).toContainText('of 207 tracks');
    // Steps through the table by keys are heard.
    await page.getByTestId('similar-table').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await expect(rows.nth(1)).toHaveAttribute('aria-selected', 'true');
    await page.keyboard.press('Enter');
    const second = (await rows.nth(1).getAttribute('data-path')) ?? '';
    await expect(page.getByRole('region', { name: 'Player' })).toContainText(
      second.split('/').at(-1)?.split('.')[0] ?? '',
    );
    await screenshots(page, 'similar');

    await page.getByTestId('similar-add').click();
    await expect(page.getByTestId('similar-query')).toHaveCount(2);
    await expect(rows.first()).toBeVisible();
    const nearest = await rows.first().getAttribute('data-path');
    await page.getByTestId('similar-weight').first().fill('500');
    await page.getByTestId('similar-weight').first().press('Enter');
    await expect(rows.first()).toBeVisible();
    await page.getByTestId('similar-back').click();
    await expect(page.getByTestId('similar-weight').first()).toHaveValue('1');
    await expect(rows.first()).toHaveAttribute('data-path', nearest ?? '');
    await page.keyboard.press('Control+[');
    await expect(page.getByTestId('similar-query')).toHaveCount(1);
    await expect(page.getByTestId('similar-back')).toBeDisabled();
    await page.getByTestId('similar-forward').click();
    await expect(page.getByTestId('similar-query')).toHaveCount(2);

    await page.getByText('Windows', { exact: true }).click();
    await expect(page.getByTestId('similar-count')).toContainText('windows');
    await expect(page.getByTestId('similar-same-track')).toBeChecked();
    await page.getByText('As trained', { exact: true }).click();
    await expect(rows.first()).toBeVisible();
    await page.getByText('Tracks', { exact: true }).click();
    await page.getByText('Standardised', { exact: true }).click();
    await go(page, 'library');
  });

  test('is kept as a set, which is shown, changed, renamed, looked for and removed, with undo', async () => {
    const { page } = running;
    const rows = page.getByTestId('track-row');
    const count = page.getByTestId('track-count');
    const undo = async (): Promise<void> => {
      await page.getByTestId('library-table').getByRole('grid').focus();
      await page.keyboard.press('Control+z');
    };
    await rows.first().click();
    await rows.nth(2).click({ modifiers: ['Shift'] });
    await page.getByTestId('selection-set').click();
    await page.getByTestId('set-name').fill('Keep me');
    await page.getByTestId('set-name').press('Enter');
    await expect(page.getByTestId('toast').filter({ hasText: 'saved as “Keep me”' })).toBeVisible();
    await page.getByTestId('sets').click();
    await expect(page.getByTestId('set-row')).toContainText('3 tracks');
    await screenshots(page, 'sets');
    await page
      .getByTestId('set-row')
      .getByRole('button', { name: /^Keep me/ })
      .click();
    await expect(count).toContainText('3 tracks found');
    await expect(page.getByTestId('track-search')).toHaveValue('set:"Keep me"');

    await rows.first().click();
    await rows.nth(1).click({ modifiers: ['Shift'] });
    await page.getByTestId('selection-set').click();
    await page.getByTestId('set-exclude').click();
    await expect(count).toContainText('1 track found');
    await page.keyboard.press('Escape');
    await undo();
    await expect(count).toContainText('3 tracks found');

    await page.getByTestId('sets').click();
    await page.getByTestId('set-rename').click();
    await page.getByTestId('set-new-name').fill('Kept');
    await page.getByTestId('set-new-name').press('Enter');
    await expect(page.getByTestId('track-search')).toHaveValue('set:Kept');
    await expect(count).toContainText('3 tracks found');
    await page.getByTestId('set-select').click();
    await expect(page.getByTestId('selection-bar')).toContainText('3 tracks');
    await page.getByTestId('sets').click();
    await page.getByTestId('set-similar').click();
    await expect(page.getByTestId('similar-query')).toHaveCount(3);
    await expect(page.getByTestId('similar-row').first()).toBeVisible();
    await go(page, 'library');
    await page.getByTestId('sets').click();
    await page.getByTestId('set-remove').click();
    await expect(page.getByTestId('set-list-empty')).toBeVisible();
    await page.keyboard.press('Escape');
    await undo();
    await page.getByTestId('sets').click();
    await expect(page.getByTestId('set-row')).toContainText('3 tracks');
    await page.keyboard.press('Escape');
    await page.getByTestId('track-search').fill('tabla');
    await expect(count).toContainText('27');
  });

  test('leaves as copies, and by dragging', async () => {
    const { page, app } = running;
    await page.getByTestId('track-row').first().click();
    await page
      .getByTestId('track-row')
      .nth(2)
      .click({ modifiers: ['Shift'] });
    await answerDialogs(app, exports);
    await page.getByTestId('selection-copy').click();
    await expect(page.getByTestId('toast').filter({ hasText: 'Exported' })).toBeVisible();
    const [folder = ''] = readdirSync(exports);
    expect(existsSync(join(exports, folder, 'tracks.m3u8'))).toBe(true);
    expect(readdirSync(join(exports, folder, 'files'))).toHaveLength(3);

    // The system's own drag cannot be driven; what it is given can.
    await app.evaluate(({ webContents }) => {
      for (const contents of webContents.getAllWebContents())
        contents.startDrag = (item) => {
          (globalThis as unknown as { dragged: unknown }).dragged = item.files;
        };
    });
    await page.getByTestId('track-row').nth(1).hover();
    await page.mouse.down();
    await page.mouse.move(600, 420, { steps: 8 });
    await page.mouse.up();
    const dragged = (): Promise<string[] | undefined> =>
      app.evaluate(() => (globalThis as unknown as { dragged?: string[] }).dragged);
    await expect.poll(async () => (await dragged())?.length).toBe(3);
    for (const path of (await dragged()) ?? []) expect(existsSync(path)).toBe(true);
  });
});
