import { rmSync } from 'node:fs';
import { expect, launch, test } from './support/app.ts';
import { importedDemo } from './support/demo.ts';
import { screenshots } from './support/steps.ts';

test('columns are chosen, moved and sized, by menu, mouse and keys, and come back at the next start', async () => {
  test.setTimeout(400_000);
  const userData = await importedDemo('columns');
  let running = await launch(userData);
  let { page } = running;
  page.setDefaultTimeout(60_000);
  const headings = () =>
    page.getByRole('columnheader').evaluateAll((all) => all.map((one) => one.getAttribute('data-column')));
  const heading = (key: string) => page.locator(`[data-column=${key}]`);
  const widthOf = async (key: string) => Math.round((await heading(key).boundingBox())?.width ?? 0);
  try {
    await page.getByTestId('open-demo').click();
    await expect(page.getByTestId('next-step')).toBeVisible({ timeout: 300_000 });

    await heading('title').click({ button: 'right' });
    await expect(page.getByTestId('columns-menu')).toBeVisible();
    await expect(page.getByTestId('track-menu')).toHaveCount(0);
    await page.getByTestId('column-name').click();
    await page.getByTestId('column-album').click();
    await page.getByTestId('column-label').click();
    await screenshots(page, 'columns-menu');
    await page.keyboard.press('Escape');
    await expect.poll(headings).toContain('name');
    expect(await headings()).toContain('album');
    expect(await headings()).not.toContain('label');
    await expect(page.getByTestId('track-row').first()).toContainText('.flac');

    // By keys alone: the menu of a heading, its place and its width.
    const before = await headings();
    await heading('name').getByRole('button').focus();
    await page.keyboard.press('Alt+ArrowLeft');
    await expect.poll(headings).toEqual(['state', 'name', 'title', ...before.slice(3)]);
    await expect(heading('name').getByRole('button')).toBeFocused();
    const width = await widthOf('name');
    await page.keyboard.press('Shift+ArrowRight');
    await page.keyboard.press('Shift+ArrowRight');
    await expect.poll(() => widthOf('name')).toBe(width + 32);
    await page.keyboard.press('Shift+F10');
    await expect(page.getByTestId('columns-menu')).toBeVisible();
    await page.getByTestId('column-right').click();
    await expect.poll(headings).toEqual(before);

    // By mouse.
    const grip = await page.getByTestId('grip-name').boundingBox();
    if (!grip) throw new Error('the heading has no grip');
    await page.mouse.move(grip.x + 3, grip.y + 8);
    await page.mouse.down();
    await page.mouse.move(grip.x - 37, grip.y + 8, { steps: 4 });
    await page.mouse.up();
    await expect.poll(() => widthOf('name')).toBe(width - 8);

    await heading('name').getByRole('button').click();
    await heading('name').getByRole('button').click();
    await expect(heading('name')).toHaveAttribute('aria-sort', /ascending|descending/);
    await expect(heading('title')).toHaveAttribute('aria-sort', 'none');
    await page.getByTestId('library-table').getByRole('grid').focus();
    await page.keyboard.press('End');
    await expect(page.locator('[aria-rowindex="207"]')).toHaveAttribute('aria-selected', 'true');
    await page.keyboard.press('Home');
    await expect(page.locator('[aria-rowindex="1"]')).toHaveAttribute('aria-selected', 'true');

    // In a table that is scrolled sideways, too, each heading stands over its cells.
    await heading('name').click({ button: 'right' });
    await page.getByTestId('column-genre').click();
    await page.getByTestId('column-notes').click();
    await page.keyboard.press('Escape');
    const lefts = (role: 'columnheader' | 'gridcell') =>
      page
        .getByRole(role)
        .evaluateAll((all) => all.slice(0, 9).map((one) => Math.round(one.getBoundingClientRect().left)));
    await expect.poll(async () => (await lefts('columnheader')).length).toBe(9);
    await expect
      .poll(async () => JSON.stringify(await lefts('gridcell')))
      .toBe(JSON.stringify(await lefts('columnheader')));
    await page.getByTestId('library-table').getByRole('grid').focus();

    // Notes are written where they stand, found by a search, and taken back.
    await page.keyboard.press('Shift+F2');
    await expect(page.getByTestId('notes-input')).toBeFocused();
    await page.keyboard.type('for the intro');
    await page.keyboard.press('Enter');
    await expect(page.getByTestId('notes').first()).toHaveText('for the intro');
    await page.getByTestId('track-search').fill('notes:intro');
    await expect(page.getByTestId('track-count')).toContainText('1 track found');
    await screenshots(page, 'columns');
    await page.getByTestId('track-search').fill('');
    await expect(page.getByTestId('track-count')).toContainText('207 tracks');
    await page.getByTestId('library-table').getByRole('grid').focus();
    await page.keyboard.press('Control+z');
    await expect(page.getByTestId('notes').filter({ hasText: 'intro' })).toHaveCount(0);
    const kept = await headings();

    await running.app.close();
    running = await launch(userData);
    page = running.page;
    await expect(page.getByTestId('track-row').first()).toBeVisible({ timeout: 60_000 });
    await expect.poll(headings).toEqual(kept);
    await expect.poll(() => widthOf('name')).toBe(width - 8);
    await heading('name').click({ button: 'right' });
    await page.getByTestId('columns-standard').click();
    await expect.poll(headings).not.toContain('name');
  } finally {
    await running.app.close();
    rmSync(userData, { recursive: true, force: true });
  }
});
