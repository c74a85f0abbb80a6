import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { parse } from 'csv-parse/sync';
import { readNpz } from '../../models/tensors/index.ts';
import { expect, launch, temporaryFolder, test } from './support/app.ts';
import { importedDemo } from './support/demo.ts';
import type { RunningApp } from './support/app.ts';
import { endlessRun, smallParquet } from '../support/parquet.ts';
import { answerDialogs, expectPlays, go, jobState, screenshots, soundOf } from './support/steps.ts';

test.describe.configure({ mode: 'serial' });

let running: RunningApp;
let userData = '';
let exports = '';

test.beforeAll(async () => {
  userData = await importedDemo('reduce');
  exports = temporaryFolder('reduced');
  running = await launch(userData);
});

test.afterAll(async () => {
  await running.app.close();
  rmSync(userData, { recursive: true, force: true });
  rmSync(exports, { recursive: true, force: true });
});

/** Leaves only some methods in the form. */
async function chooseMethods(page: Page, ids: string[]): Promise<void> {
  await page.getByTestId('methods-none').click();
  for (const id of ids) await page.getByTestId(`method-${id}`).check();
}

async function finished(page: Page, nth: number): Promise<void> {
  expect(await jobState(page, 'study', 200_000, nth)).toBe('done');
  await go(page, 'reduce');
  await expect(page.getByTestId('study')).toHaveAttribute('data-state', 'done');
}

const points = async (page: Page): Promise<number> =>
  Number(await page.getByTestId('tradeoff-plot').getAttribute('data-points'));

test('describes the corpus of the demo library’s token labelsets', async () => {
  const { page } = running;
  await page.getByTestId('open-demo').click();
  await expect(page.getByTestId('library-table')).toBeVisible();
  expect(await jobState(page, 'import', 200_000)).toBe('done');
  await go(page, 'library');
  await page.getByTestId('taxonomy-create-tokens').click();
  await go(page, 'reduce');
  const card = page.getByTestId('corpus-card');
  await expect(card).toBeVisible();
  const rows = Number(await card.getAttribute('data-rows'));
  expect(rows).toBeGreaterThan(100);
  await expect(card).toContainText('cardinality');
  await expect(card).toContainText('IRLbl');
  await screenshots(page, '6-reduce-corpus');
});

test('compares several methods: points, Pareto front and a table that says the same', async () => {
  const { page } = running;
  await chooseMethods(page, ['MChen', 'MRSP1', 'MRSP3', 'MRHC', 'random']);
  await page.getByTestId('reduce-sizes').fill('10, 30, 50');
  await page.getByTestId('reduce-sizes').blur();
  await expect(page.getByTestId('reduce-estimate')).toContainText('11 reduction runs');
  await page.getByTestId('reduce-start').click();
  await finished(page, 1);
  // 11 reductions × LP-kNN, BRkNN-a, ML-kNN
  await expect.poll(() => points(page)).toBe(33);
  const rows = page.getByTestId('run-row');
  await expect(rows).toHaveCount(33);
  const front = page.locator('[data-testid=run-row][data-front=true]');
  expect(await front.count()).toBeGreaterThan(1);
  await expect(page.locator('.scatterlayer .trace').first()).toBeVisible();
  await page.getByTestId('study-metric').selectOption('hammingLoss');
  await expect(page.getByTestId('tradeoff-plot')).toContainText('Hamming loss');
  await page.getByTestId('study-classifier').selectOption('lpknn');
  await expect.poll(() => points(page)).toBe(11);
  await page.getByTestId('sort-size').click();
  const sizes = (await page.getByTestId('run-size').allTextContents()).map((text) => parseFloat(text));
  expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
  await page.getByTestId('study-metric').selectOption('f1Samples');
  await screenshots(page, '6-reduce-study');
  await page.getByTestId('imbalance-look').click();
  await expect(page.getByTestId('imbalance-labels')).toContainText('MeanIR');
  await page.getByTestId('imbalance-together').scrollIntoViewIfNeeded();
  await screenshots(page, '6-reduce-imbalance');
});

test('inspects a reduction by keyboard and plays a prototype as sound and as its nearest real excerpt', async () => {
  const { page } = running;
  const plot = page.getByTestId('tradeoff-plot');
  await plot.focus();
  await page.keyboard.press('ArrowRight');
  await expect(page.getByTestId('tradeoff-announcement')).toContainText('size');
  await page.keyboard.press('Enter');
  const inspection = page.getByTestId('inspection');
  await expect(inspection).toBeVisible();
  const result = page.getByTestId('reduce-result');
  const prototypes = Number(await result.getAttribute('data-rows'));
  expect(prototypes).toBeGreaterThan(0);
  expect(prototypes).toBeLessThan(Number(await result.getAttribute('data-corpus')));
  await expect(page.getByTestId('generated-row').first()).toBeVisible();
  // The corpus with a star for every prototype.
  await expect(page.getByTestId('generated-map-plot')).toHaveAttribute(
    'data-points',
    String(207 + prototypes),
    {
      timeout: 60_000,
    },
  );
  const row = page.getByTestId('generated-row').first();
  await expectPlays(page, row.getByTestId('prototype-a'), 120_000);
  const sonified = await soundOf(page);
  expect(sonified.seconds).toBeCloseTo(4, 1);
  expect(sonified.rms).toBeGreaterThan(0.001);
  expect(sonified.peak).toBeLessThanOrEqual(1);
  await page.getByTestId('stop').click();
  await expectPlays(page, row.getByTestId('prototype-b'));
  const nearest = await soundOf(page);
  expect(nearest.url).not.toBe(sonified.url);
  expect(nearest.rms).toBeGreaterThan(0.0001);
  await page.getByTestId('stop').click();
  await page.waitForTimeout(1000);
  await inspection.scrollIntoViewIfNeeded();
  await screenshots(page, '6-reduce-inspect');
});

test('compares two reductions side by side', async () => {
  const { page } = running;
  const rows = page.getByTestId('run-row');
  await rows.filter({ hasText: 'MChen p 10' }).getByTestId('run-inspect').click();
  await rows.filter({ hasText: 'MRSP3' }).getByTestId('run-compare').check();
  const comparison = page.getByTestId('comparison');
  await expect(comparison).toContainText('A: MChen p 10');
  await expect(comparison).toContainText('B: MRSP3');
  await expect(page.getByTestId('label-differences').locator('li').first()).toBeVisible();
  await expect(page.getByTestId('labelset-fate')).toContainText('kept by both');
  await comparison.scrollIntoViewIfNeeded();
  await page.waitForTimeout(500);
  await screenshots(page, '6-reduce-compare');
});

test('exports the inspected reduction as a bundle that reads back', async () => {
  const { app, page } = running;
  await answerDialogs(app, exports);
  const inspection = page.getByTestId('inspection');
  const prototypes = Number(await page.getByTestId('reduce-result').getAttribute('data-rows'));
  await inspection.getByTestId('export-open').click();
  // A sound for every prototype takes long here and is tested with the main job.
  await inspection.getByTestId('export-wav').uncheck();
  await inspection.getByTestId('export-start').click();
  await expect(page.getByTestId('export-result')).toBeVisible({ timeout: 120_000 });
  const folder = (await page.getByTestId('export-result').getAttribute('data-folder')) ?? '';
  expect(existsSync(folder)).toBe(true);
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as {
    method: string;
    files: { path: string; sha256: string }[];
  };
  expect(manifest.method).toBe('MChen');
  expect(manifest.files.length).toBeGreaterThan(2);
  for (const file of manifest.files)
    expect(
      createHash('sha256')
        .update(readFileSync(join(folder, file.path)))
        .digest('hex'),
      file.path,
    ).toBe(file.sha256);
  const table = parse<Record<string, string>>(readFileSync(join(folder, 'prototypes.csv')), {
    columns: true,
  });
  expect(table).toHaveLength(prototypes);
  const arrays = readNpz(readFileSync(join(folder, 'prototypes.npz')));
  expect(arrays.get('prototypes')?.shape[0]).toBe(prototypes);
  expect(arrays.get('labelsets')?.shape[0]).toBe(prototypes);
  expect(readdirSync(folder)).toContain('split.csv');
});

test('adds a generated prototype to an experiment, looked at before it is done, and undone', async () => {
  const { page } = running;
  const inspectAgain = async (): Promise<void> => {
    await go(page, 'reduce');
    await page.getByTestId('study-classifier').selectOption('lpknn');
    await expect.poll(() => points(page)).toBe(11);
    await page.getByTestId('run-row').filter({ hasText: 'MChen p 10' }).getByTestId('run-inspect').click();
  };
  // Without an experiment there is nothing to add to, and the button says so.
  const add = page.getByTestId('generated-row').first().getByTestId('generated-add');
  await expect(add).toBeDisabled();
  await expect(add).toHaveAttribute('aria-label', 'No experiment is chosen that has its class');
  await go(page, 'train');
  await page.getByTestId('train-more').click();
  await page.getByTestId('train-steps').fill('100');
  await page.getByTestId('train-steps').blur();
  await page.getByTestId('train-start').click();
  expect(await jobState(page, 'train', 200_000)).toBe('done');
  await go(page, 'prototypes');
  await page.getByTestId('class-row').first().click();
  await expect(page.getByTestId('revision')).toHaveAttribute('data-revision', '1');

  await inspectAgain();
  const addable = page.locator('[data-testid=generated-add]:enabled').first();
  await addable.scrollIntoViewIfNeeded();
  const label = (await addable.getAttribute('aria-label')) ?? '';
  expect(label).toMatch(/^Look at adding .* as a prototype of .+$/);
  const name = label.replace(/^.* as a prototype of /, '');
  await screenshots(page, '6-reduce-add');
  await addable.click();

  // Prototypes shows its class and what adding would do; nothing is changed before it is applied.
  const preview = page.getByTestId('edit-preview');
  await expect(preview).toContainText(`Add a prototype of ${name}`);
  await expect(preview).toHaveAttribute('data-ready', 'true', { timeout: 60_000 });
  await expect(preview).toContainText('Accuracy');
  const rows = page.getByTestId('prototype-card');
  const before = await rows.count();
  expect(before).toBeGreaterThan(0);
  await screenshots(page, '6-reduce-add-preview');
  await expect(page.getByTestId('revision')).toHaveAttribute('data-revision', '1');
  await page.getByTestId('edit-apply').click();
  await expect(page.getByTestId('revision')).toHaveAttribute('data-revision', '2');
  await expect(rows).toHaveCount(before + 1);
  await page.keyboard.press('ControlOrMeta+z');
  await expect(rows).toHaveCount(before);
  await inspectAgain();
});

test('removes a reduction and a study, and undoes it', async () => {
  const { page } = running;
  await page.getByTestId('inspection-remove').click();
  await expect.poll(() => points(page)).toBe(10);
  await page.keyboard.press('ControlOrMeta+z');
  await expect.poll(() => points(page)).toBe(11);
  await page.getByTestId('study-remove').first().click();
  await expect(page.getByTestId('study-row')).toHaveCount(0);
  await page.keyboard.press('ControlOrMeta+z');
  await expect(page.getByTestId('study-row')).toHaveCount(1);
});

test('adds label noise to the training labels by one switch', async () => {
  const { page } = running;
  await chooseMethods(page, ['MChen', 'MRHC']);
  await page.getByTestId('reduce-noise').check();
  await expect(page.getByTestId('reduce-estimate')).toContainText('12 reduction runs');
  await page.getByTestId('reduce-start').click();
  await finished(page, 2);
  const f1 = async (noise: string): Promise<number> => {
    await page.getByTestId('study-noise').selectOption(noise);
    const row = page.getByTestId('run-row').filter({ hasText: 'MChen p 50' }).filter({ hasText: 'LP-kNN' });
    return parseFloat((await row.locator('td.main').textContent()) ?? '');
  };
  await expect(page.getByTestId('study-noise').locator('option')).toHaveText(['0 %', '20 %', '40 %']);
  expect(await f1('0')).toBeGreaterThan(await f1('40'));
  await page.getByTestId('reduce-noise').uncheck();
});

test('compares over folds and says whether it is more than chance', async () => {
  const { page } = running;
  await page.getByTestId('reduce-split').selectOption('folds');
  await page.getByTestId('reduce-start').click();
  await finished(page, 3);
  await expect(page.getByTestId('study-state')).toContainText('5 splits');
  await page.getByTestId('statistics').locator('summary').click();
  await expect(page.getByTestId('statistics')).toContainText('Friedman');
  await expect(page.getByTestId('statistics').locator('tbody tr')).toHaveCount(5);
  await page.getByTestId('statistics').scrollIntoViewIfNeeded();
  await screenshots(page, '6-reduce-folds');
  await page.getByTestId('reduce-split').selectOption('holdout');
});

test('reduces a data set file, silently, and stops a running study when asked', async () => {
  const { app, page } = running;
  const path = join(exports, 'clouds.csv');
  const names = Array.from({ length: 64 }, (_, i) => `f${String(i)}`);
  // 3,000 rows of three overlapping clouds: enough work to be cancelled in the middle.
  const lines = Array.from({ length: 3000 }, (_, row) =>
    [
      ...names.map((_, i) => (Math.sin(row * 12.9898 + i * 78.233) + (row % 3) * 0.3).toFixed(6)),
      row % 3 < 2 ? 1 : 0,
      row % 5 === 0 ? 1 : 0,
    ].join(','),
  );
  writeFileSync(path, [[...names, 'low', 'fifth'].join(','), ...lines].join('\n'));
  await answerDialogs(app, path);
  await page.getByTestId('reduce-source-dataset').check({ force: true });
  await page.getByTestId('reduce-file').click();
  await page.getByTestId('reduce-label-count').fill('2');
  await page.getByTestId('reduce-label-count').blur();
  await page.getByTestId('corpus').locator('summary').click();
  await expect(page.getByTestId('corpus-card')).toContainText('cannot be turned into sound');
  await chooseMethods(page, ['MChen', 'MRSP1', 'MRSP2', 'MRSP3']);
  await page.getByTestId('reduce-sizes').fill('1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90');
  await page.getByTestId('reduce-sizes').blur();
  await page.getByTestId('reduce-start').click();
  // Not before the study of before is out of sight.
  await expect(page.getByTestId('study')).toHaveAttribute('data-state', 'running', { timeout: 60_000 });
  await expect.poll(() => page.getByTestId('run-row').count(), { timeout: 120_000 }).toBeGreaterThan(0);
  await page.getByTestId('reduce-cancel').click();
  await expect(page.getByTestId('study')).toHaveAttribute('data-state', 'stopped');
  await expect(page.getByTestId('study-continue')).toBeVisible();
  const kept = await page.getByTestId('run-row').count();
  expect(kept).toBeGreaterThan(0);
  expect(kept).toBeLessThan(34 * 3);
  await page.getByTestId('run-inspect').first().click();
  await expect(page.getByTestId('silent')).toBeVisible();
  await expect(page.getByTestId('prototype-a')).toHaveCount(0);
  await screenshots(page, '6-reduce-dataset');
});

test('opens a Parquet table, and says what is wrong with a damaged one', async () => {
  const { app, page } = running;
  const path = join(exports, 'small.parquet');
  writeFileSync(path, await smallParquet());
  await answerDialogs(app, path);
  await page.getByTestId('reduce-file').click();
  // Unlike the CSV table before it, it says itself which columns are labels.
  await expect(page.getByTestId('reduce-labels')).toHaveValue('auto');
  await expect(page.getByTestId('corpus')).toContainText('4 rows');
  await answerDialogs(app, endlessRun);
  await page.getByTestId('reduce-file').click();
  await expect(page.getByRole('progressbar', { name: 'Reading the data' })).toBeVisible();
  await expect(page.getByTestId('corpus')).toBeHidden();
  await screenshots(page, '6-reduce-reading');
  await expect(page.getByText(/nothing came of it in 15 s/)).toBeVisible({ timeout: 60_000 });
  await screenshots(page, '6-reduce-refused');
});

test('nothing complained in the console', () => {
  expect(running.complaints).toEqual([]);
});
