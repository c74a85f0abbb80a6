import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeWav } from '../../models/audio/encode-wav.ts';
import { Random } from '../../models/numerics/random.ts';
import { expect, temporaryFolder, test } from './support/app.ts';
import { violations } from './support/axe.ts';
import { answerDialogs, go, jobState, openLibrary, screenshots } from './support/steps.ts';

/** Three kinds of sounds, each of another length, so that none is taken for a copy of another. */
function writeSounds(folder: string): void {
  const rate = 22_050;
  const random = new Random(1);
  for (const [name, hz] of [
    ['low', 110],
    ['middle', 880],
    ['high', 5000],
  ] as const) {
    mkdirSync(join(folder, name));
    for (let i = 0; i < 8; i++) {
      const pitch = hz * (1 + 0.1 * random.uniform());
      const samples = Float32Array.from(
        { length: (1.2 + 0.25 * i) * rate },
        (_, t) => 0.3 * Math.sin((2 * Math.PI * pitch * t) / rate) + 0.02 * random.normal(),
      );
      writeFileSync(join(folder, name, `${name} ${String(i)}.wav`), encodeWav(samples, rate, 'pcm16'));
    }
  }
}

test('copies are hidden, changes written and a run given up, in a view that axe finds no fault with', async ({
  running,
}) => {
  test.setTimeout(300_000);
  const { app, page } = running;
  const folder = temporaryFolder('mistakes-music');
  const tables = temporaryFolder('mistakes-tables');
  try {
    writeSounds(folder);
    copyFileSync(join(folder, 'low', 'low 0.wav'), join(folder, 'high', 'copy.wav'));
    await openLibrary(running, folder);
    expect(await jobState(page, 'import', 120_000)).toBe('done');
    await go(page, 'mistakes');
    await page.getByTestId('taxonomy-create-folders').click();
    await page.getByTestId('mistakes-look').click();
    await expect(page.getByTestId('mistakes-left')).toBeVisible({ timeout: 120_000 });

    // The copy is hidden from training, shown as left out, and brought back.
    await page.getByTestId('mistakes-tab-near-duplicates').click();
    const list = page.getByTestId('mistakes-list');
    await expect(list).toHaveAttribute('data-rows', '1');
    await page.getByTestId('mistake-row').first().getByRole('button').click();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.waitForTimeout(300);
      expect(await violations(page), colorScheme).toEqual([]);
    }
    await screenshots(page, 'mistakes-copies');
    await page.keyboard.press('h');
    await expect(list).toHaveCount(0);
    await page.keyboard.press('Control+z');
    await expect(list).toHaveAttribute('data-rows', '1');

    // The wrong label of the copy is mended, and the change stands in the table.
    await page.getByTestId('mistakes-tab-likely-wrong').click();
    await page.getByTestId('mistake-row').first().getByRole('button').click();
    await page.keyboard.press('y');
    await answerDialogs(app, tables);
    await page.getByTestId('mistakes-csv').click();
    await expect.poll(() => readdirSync(tables).length).toBe(1);
    const [table = ''] = readdirSync(tables);
    expect(readFileSync(join(tables, table), 'utf8')).toContain('accept');
    await page.getByTestId('mistakes-labels').click();
    await expect.poll(() => readdirSync(tables).filter((name) => name.includes(' labels ')).length).toBe(1);

    // A run that is given up leaves the list as it was.
    const before = await page.getByTestId('mistakes-left').innerText();
    await page.getByTestId('mistakes-look').click();
    await page.getByTestId('mistakes-cancel').click();
    expect(await jobState(page, 'mistakes', 30_000)).toBe('cancelled');
    await go(page, 'mistakes');
    await expect(page.getByTestId('mistakes-left')).toHaveText(before);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(tables, { recursive: true, force: true });
  }
});
