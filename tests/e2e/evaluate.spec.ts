import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeWav } from '../../models/audio/index.ts';
import { expect, launch, temporaryFolder, test } from './support/app.ts';
import { violations } from './support/axe.ts';
import { answerDialogs, go, jobState, openLibrary, screenshots } from './support/steps.ts';

test('an evaluation is filled in, run, looked at, heard and taken elsewhere; and so is the library', async () => {
  test.setTimeout(400_000);
  const userData = temporaryFolder('evaluate');
  const music = temporaryFolder('evaluate-music');
  const out = temporaryFolder('evaluate-out');
  const points = join(out, 'points.csv');
  const places = Array.from({ length: 12 }, (_, i) =>
    i % 2 === 0 ? `0.${String(i)},1,1,0` : `9.${String(i)},5,0,1`,
  );
  writeFileSync(points, `x,y,near,far\n${places.join('\n')}\n`);
  // Two notes in six loudnesses: pitch classes tell them apart, modulation hardly does.
  for (const [name, hertz] of Object.entries({ a: 440, 'e-flat': 311.13 })) {
    mkdirSync(join(music, name), { recursive: true });
    for (let take = 0; take < 6; take++)
      writeFileSync(
        join(music, name, `${name} ${take}.wav`),
        encodeWav(
          Float32Array.from(
            { length: 24_000 },
            (_, n) => 0.05 * (take + 1) * Math.sin((2 * Math.PI * hertz * n) / 24_000),
          ),
          24_000,
          'pcm16',
        ),
      );
  }
  const running = await launch(userData);
  try {
    const { page, app } = running;
    page.setDefaultTimeout(30_000);
    await go(page, 'evaluate');
    await expect(page.getByText('Which embedding knows what?')).toBeVisible();
    await openLibrary(running, music);
    expect(await jobState(page, 'import', 120_000)).toBe('done');
    await go(page, 'library');
    await page.getByTestId('taxonomy-create-folders').click();

    await page.keyboard.press('e');
    await page.getByTestId('evaluation-name').fill('Two notes');
    for (const off of ['compact', 'random-twin', 'mfcc'])
      await page.getByTestId(`evaluation-space-${off}`).uncheck();
    for (const on of ['chroma', 'modulation']) await page.getByTestId(`evaluation-space-${on}`).check();
    await page.getByTestId('evaluation-probe-linear').uncheck();
    await page.getByTestId('evaluation-deformation-Gain').check();
    await page.getByTestId('evaluation-folds').fill('2');
    await page.getByTestId('evaluation-folds').blur();

    await page.getByTestId('evaluation-look').click();
    await expect(page.getByTestId('evaluation-text')).toHaveValue(/features:/);
    await answerDialogs(app, out);
    await page.getByTestId('evaluation-save').click();
    await expect.poll(() => readdirSync(out)).toContain('Two notes.yml');
    // Opened again as a file, it is the same evaluation in words.
    await answerDialogs(app, join(out, 'Two notes.yml'));
    await page.getByTestId('evaluation-open').click();
    await expect(page.getByTestId('evaluation-file')).toContainText('2 spaces');
    await page.getByTestId('evaluation-run').click();
    await expect(page.getByTestId('evaluation-cells')).toHaveText('12 of 12 cells', { timeout: 200_000 });

    const grid = page.getByTestId('evaluation-grid');
    await expect(grid.getByTestId('evaluation-cell')).toHaveCount(2);
    await expect(page.getByTestId('evaluation-curves')).toBeVisible();
    await grid.getByTestId('evaluation-cell').nth(1).click();
    await expect(grid.getByTestId('evaluation-cell').nth(1)).toHaveAttribute('aria-pressed', 'true');
    await expect(page.getByTestId('evaluation-deltas').getByRole('row')).toHaveCount(3);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.waitForTimeout(200);
      expect(await violations(page)).toEqual([]);
    }
    await screenshots(page, 'evaluate');

    const flips = page.getByTestId('evaluation-flips');
    await expect(flips).toBeVisible();
    const audio = page.getByTestId('evaluation-audio');
    await flips.getByTestId('evaluation-play').first().click();
    await expect
      .poll(() => audio.evaluate((element: HTMLAudioElement) => element.currentTime), { timeout: 30_000 })
      .toBeGreaterThan(0.05);

    await answerDialogs(app, out);
    for (const [format, name] of [
      ['csv', 'Two notes.csv'],
      ['svg', 'Two notes.svg'],
      ['png', 'Two notes.png'],
    ] as const) {
      await page.getByTestId('evaluation-format').selectOption(format);
      await page.getByTestId('evaluation-export').click();
      await expect.poll(() => readdirSync(out)).toContain(name);
    }
    expect(readFileSync(join(out, 'Two notes.csv'), 'utf8')).toContain(',chroma,5-NN,clean,accuracy,');

    expect(readFileSync(join(out, 'Two notes.png')).subarray(1, 4).toString()).toBe('PNG');

    // What the spaces know of the sound, without any label.
    await page.getByRole('button', { name: 'Back to the form' }).click();
    await page.getByTestId('evaluation-name').fill('What they know');
    await page.getByTestId('evaluation-task').selectOption('mir');
    await page.getByTestId('evaluation-deformation-Gain').uncheck();
    await page.getByTestId('evaluation-deformation-AddGaussianSNR').uncheck();
    await page.getByTestId('evaluation-run').click();
    await expect(page.getByTestId('evaluation-cells')).toHaveText('4 of 4 cells', { timeout: 200_000 });
    const spider = page.getByTestId('evaluation-spider-table');
    await expect(spider.getByRole('row')).toHaveCount(3);
    for (const target of ['loudness', 'chroma', 'MFCC'])
      await expect(spider.getByRole('columnheader', { name: target })).toBeVisible();
    expect(await violations(page)).toEqual([]);
    await screenshots(page, 'evaluate-spider');

    // Parts of the hand-made spaces, each alone, as spaces of their own.
    await page.getByTestId('evaluation-name').fill('What their parts know');
    await page.getByTestId('evaluation-feature-groups').check();
    await page.getByTestId('evaluation-run').click();
    await expect(page.getByTestId('evaluation-cells')).toHaveText('26 of 26 cells', { timeout: 200_000 });
    await expect(spider.getByRole('row')).toHaveCount(14);
    for (const part of ['chroma: means', 'modulation: 4 Hz'])
      await expect(spider.getByRole('rowheader', { name: part, exact: true })).toBeVisible();
    await screenshots(page, 'evaluate-groups');
    await page.getByTestId('evaluation-feature-groups').uncheck();

    // A data set file is its own space: nothing of sound is asked.
    await page.getByTestId('evaluation-name').fill('Points');
    await page.getByTestId('evaluation-dataset').selectOption('file');
    await answerDialogs(app, points);
    await page.getByTestId('evaluation-file-choose').click();
    await expect(page.getByTestId('evaluation-labels')).toHaveValue('last');
    await page.getByTestId('evaluation-label-count').fill('2');
    await expect(page.getByTestId('evaluation-space-chroma')).toHaveCount(0);
    await page.getByTestId('evaluation-task').selectOption('single');
    await screenshots(page, 'evaluate-file-form');
    await page.getByTestId('evaluation-run').click();
    await expect(grid).toContainText('own vectors', { timeout: 100_000 });
    await expect(grid.getByTestId('evaluation-cell')).toHaveCount(1);
    await expect(grid.getByTestId('evaluation-cell')).toContainText('100');
    expect(await violations(page)).toEqual([]);
    await screenshots(page, 'evaluate-file');
    await page.getByTestId('evaluation-dataset').selectOption('library');
    await answerDialogs(app, out);

    await page.keyboard.press('Control+Shift+E');
    await expect(page.getByTestId('export-tracks')).toBeVisible();
    await page.getByTestId('export-tracks-jsonl').check();
    await expect(page.getByTestId('export-tracks')).toContainText('12 tracks');
    await screenshots(page, 'export-tracks');
    // Colours change over a moment.
    await page.waitForTimeout(400);
    expect(await violations(page)).toEqual([]);
    await page.getByTestId('export-tracks-start').click();
    const written = page.getByTestId('export-tracks-result');
    await expect(written).toBeVisible({ timeout: 120_000 });
    const folder = (await written.getAttribute('data-folder')) ?? '';
    expect(readdirSync(folder).sort()).toEqual([
      ...['manifest.json', 'tracks.csv', 'tracks.jsonl', 'tracks.parquet'],
    ]);
    const lines = readFileSync(join(folder, 'tracks.jsonl'), 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(12);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ labels: ['a'], x: expect.any(Number) });
    await page.keyboard.press('Escape');
    await expect(page.getByTestId('export-tracks')).toBeHidden();

    for (const left of [3, 2, 1, 0]) {
      await page.getByTestId('evaluation-remove').first().click();
      await expect(page.getByTestId('evaluation-remove')).toHaveCount(left);
    }
    await expect(page.getByText('Which embedding knows what?')).toBeVisible();
  } finally {
    await running.app.close();
    for (const folder of [userData, music, out]) rmSync(folder, { recursive: true, force: true });
  }
});
