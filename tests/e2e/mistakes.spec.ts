import { rmSync } from 'node:fs';
import { expect, launch, test } from './support/app.ts';
import { importedDemo } from './support/demo.ts';
import { go, jobState, screenshots } from './support/steps.ts';

test('labels that are probably wrong are found, decided, taken back, and still decided after a restart', async () => {
  test.setTimeout(500_000);
  const userData = await importedDemo('mistakes');
  let running = await launch(userData);
  try {
    let { page } = running;
    page.setDefaultTimeout(15_000);
    await page.getByTestId('open-demo').click();
    await expect(page.getByTestId('library-table')).toBeVisible();
    expect(await jobState(page, 'import', 200_000)).toBe('done');
    await go(page, 'mistakes');
    await expect(page.getByText('Which labels shall be judged?')).toBeVisible();
    await page.getByTestId('taxonomy-create-tokens').click();
    await page.getByTestId('mistakes-look').click();
    await expect(page.getByTestId('mistakes-left')).toBeVisible({ timeout: 300_000 });

    const list = page.getByTestId('mistakes-list');
    const rows = async (): Promise<number> => Number(await list.getAttribute('data-rows'));
    const first = page.getByTestId('mistake-row').first();
    await page.getByTestId('mistakes-tab-likely-wrong').click();
    await expect(first).toBeVisible();
    await first.getByRole('button').click();
    await screenshots(page, 'mistakes');
    const before = await rows();
    const id = (await first.getAttribute('data-id')) ?? '';
    const [given, suggested] = (await first.locator('.labels').innerText())
      .split('→')
      .map((text) => text.trim());
    const title = await first.locator('.title').innerText();
    const labelsNow = async (): Promise<string> => {
      await go(page, 'library');
      await page.locator('#track-search').fill(title);
      const cell = page
        .getByTestId('track-row')
        .filter({ hasText: title })
        .first()
        .locator('.labels')
        .first();
      const labels = await cell.innerText();
      await page.locator('#track-search').fill('');
      await go(page, 'mistakes');
      return labels;
    };

    await page.keyboard.press('y');
    await expect(list).toHaveAttribute('data-rows', String(before - 1));
    await expect(page.locator(`[data-id="${id}"]`)).toHaveCount(0);
    // Of several labels the one in question goes; of one, another takes its place.
    const accepted = expect.poll(labelsNow, { timeout: 15_000 });
    if (suggested === 'without it') await accepted.not.toContain(given ?? '');
    else await accepted.toContain(suggested ?? 'no suggestion');
    await page.keyboard.press('Control+z');
    await expect(list).toHaveAttribute('data-rows', String(before));
    await expect.poll(labelsNow, { timeout: 30_000 }).toContain(given ?? 'no label');

    await page.locator(`[data-id="${id}"]`).getByRole('button').click();
    await page.keyboard.press('k');
    await expect(list).toHaveAttribute('data-rows', String(before - 1));

    // Skipped rows go, and come back by undo; giving another label is forgotten by Escape and set by Enter.
    const left = before - 1;
    await first.getByRole('button').click();
    await page.keyboard.press('s');
    await expect(list).toHaveAttribute('data-rows', String(left - 1));
    await page.keyboard.press('Control+z');
    await expect(list).toHaveAttribute('data-rows', String(left));
    await page.keyboard.press('l');
    await expect(page.getByTestId('label-input')).toBeFocused();
    await page.keyboard.press('Escape');
    await expect(page.getByTestId('label-input')).toHaveCount(0);
    await expect(list).toHaveAttribute('data-rows', String(left));
    await page.keyboard.press('l');
    // One label more: the others of the track are asked about in rows of their own.
    const input = page.getByTestId('label-input');
    await input.fill(`${await input.inputValue()}, something else`);
    await page.keyboard.press('Enter');
    await expect(list).toHaveAttribute('data-rows', String(left - 1));
    await page.keyboard.press('Control+z');
    await expect(list).toHaveAttribute('data-rows', String(left));

    // Without an experiment there is no prototype to hear or to explain by, which is said.
    await page.keyboard.press('a');
    await expect(page.getByText(/No experiment is chosen that has a prototype/).first()).toBeVisible();
    await page.keyboard.press('w');
    await expect(page.getByTestId('mistake-why')).toContainText('Choose or train an experiment');
    await page.keyboard.press('w');
    await expect(page.getByTestId('mistake-why')).toHaveCount(0);
    await page.keyboard.press('c');
    await expect(page.getByTestId('small-wave').first().locator('path')).toHaveCount(1);

    // Number keys label, and the full stop labels the same.
    await page.getByTestId('mistakes-labelling').click();
    await expect(page.getByTestId('label-keys')).toBeVisible();
    await screenshots(page, 'mistakes-labelling');
    await first.getByRole('button').click();
    await page.keyboard.press('1');
    await expect(list).toHaveAttribute('data-rows', String(left - 1));
    await page.keyboard.press('.');
    await expect(list).toHaveAttribute('data-rows', String(left - 2));
    // One after the other: a second press while the first is under way does nothing.
    await page.keyboard.press('Control+z');
    await expect(list).toHaveAttribute('data-rows', String(left - 1));
    await page.keyboard.press('Control+z');
    await expect(list).toHaveAttribute('data-rows', String(left));

    await running.app.close();
    running = await launch(userData);
    ({ page } = running);
    await expect(page.getByTestId('library-name')).toBeVisible({ timeout: 60_000 });
    await go(page, 'mistakes');
    const again = page.getByTestId('mistakes-list');
    await expect(again).toHaveAttribute('data-rows', String(before - 1));
    await page.keyboard.press('Control+z');
    await expect(again).toHaveAttribute('data-rows', String(before));
  } finally {
    await running.app.close();
    rmSync(userData, { recursive: true, force: true });
  }
});
