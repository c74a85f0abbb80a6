import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { readNpz } from '../../models/tensors/index.ts';
import { expect, launch, temporaryFolder, test } from './support/app.ts';
import { violations } from './support/axe.ts';
import type { RunningApp } from './support/app.ts';
import { answerDialogs, expectPlays, go, jobState, screenshots, soundOf } from './support/steps.ts';

test.describe.configure({ mode: 'serial' });

let running: RunningApp;
let userData = '';
let exports = '';

test.beforeAll(async () => {
  userData = temporaryFolder('journey');
  exports = temporaryFolder('exports');
  running = await launch(userData);
});

test.afterAll(async () => {
  await running.app.close();
  rmSync(userData, { recursive: true, force: true });
  rmSync(exports, { recursive: true, force: true });
});

test('opens and imports the demo library', async () => {
  const { page } = running;
  await screenshots(page, '1-welcome');
  await page.getByTestId('open-demo').click();
  await expect(page.getByTestId('library-table')).toBeVisible();
  expect(await jobState(page, 'import', 200_000)).toBe('done');
  await screenshots(page, '8-jobs');
  await go(page, 'library');
  await expect(page.getByTestId('track-count')).toContainText('207');
  await expect(page.getByTestId('track-row').first()).toBeVisible();
});

test('makes a taxonomy of file-name tokens', async () => {
  const { page } = running;
  await go(page, 'library');
  if (!(await page.getByTestId('taxonomy-create-tokens').isVisible()))
    await page.getByTestId('taxonomy-new').click();
  await page.getByTestId('taxonomy-create-tokens').click();
  await page.getByTestId('track-search').fill('drum_snare_hard');
  await expect(page.getByTestId('track-row')).toHaveCount(1);
  await expect(page.getByTestId('track-row')).toContainText('drum');
  await expect(page.getByTestId('track-row')).toContainText('snare');
  await page.getByTestId('track-search').fill('');
});

test('trains a prototype network and beats the majority baseline', async () => {
  const { page } = running;
  await go(page, 'train');
  await page.getByText('One class', { exact: true }).click();
  await page.getByTestId('train-start').click();
  expect(await jobState(page, 'train', 120_000)).toBe('done');
  await go(page, 'train');
  await expect(page.getByTestId('train-score')).toBeVisible();
  const accuracy = Number(await page.getByTestId('train-score').getAttribute('data-value'));
  expect(accuracy).toBeGreaterThan(0.3);
  await expect(page.getByTestId('confusion')).toBeVisible();
  await screenshots(page, '5-train');
});

test('classifies, and Why adds up to the logit', async () => {
  const { page } = running;
  await go(page, 'library');
  await page.getByTestId('track-search').fill('drum_snare_hard');
  await page.getByTestId('track-row').first().click();
  await expect(page.getByTestId('class-strip')).toBeVisible();
  const why = page.getByTestId('why');
  await expect(why.getByTestId('why-step').first()).toBeVisible();
  const total = Number(await why.getByTestId('why-sum').getAttribute('data-value'));
  const logit = Number(await why.getByTestId('why-logit').getAttribute('data-value'));
  expect(Number.isFinite(total)).toBe(true);
  expect(Math.abs(total - logit)).toBeLessThan(1e-5);
  // The steps that are drawn add up, too: bias, prototypes and what is folded into "others".
  const steps = await why.getByTestId('why-step').locator('.value').all();
  const values = await Promise.all(steps.map(async (step) => Number(await step.getAttribute('data-value'))));
  expect(Math.abs(values.reduce((sum, value) => sum + value, 0) - logit)).toBeLessThan(1e-4);
  await page.getByTestId('track-search').fill('');
  await screenshots(page, '2-library');
});

test('plays a track, and prototypes as sonified (A) and as the nearest real excerpt (B)', async () => {
  const { page } = running;
  await go(page, 'library');
  await page.getByTestId('track-search').fill('ambi_choir');
  await expect(page.getByTestId('track-row')).toHaveCount(1);
  // Selecting auditions; Stop, then Play starts it again.
  await expectPlays(page, page.getByTestId('track-row').first());
  await page.getByTestId('stop').click();
  await expectPlays(page, page.getByTestId('play'));
  const real = await soundOf(page);
  expect(real.rms).toBeGreaterThan(0.001);

  const why = page.getByTestId('why');
  await page.getByTestId('stop').click();
  await expectPlays(page, why.getByTestId('prototype-a').first(), 120_000);
  const sonified = await soundOf(page);
  expect(sonified.url).not.toBe(real.url);
  expect(sonified.seconds).toBeCloseTo(4, 1);
  expect(sonified.rms).toBeGreaterThan(0.001);
  expect(sonified.peak).toBeLessThanOrEqual(1);

  await page.getByTestId('stop').click();
  await expectPlays(page, why.getByTestId('prototype-b').first());
  const nearest = await soundOf(page);
  expect(nearest.url).not.toBe(sonified.url);
  expect(nearest.rms).toBeGreaterThan(0.0001);
  await page.getByTestId('stop').click();
  await page.getByTestId('track-search').fill('');
});

test('maps the modulations of a track against a prototype and a class, and plays what is left', async () => {
  const { app, page } = running;
  await go(page, 'library');
  await page.getByTestId('track-row').first().click();
  await go(page, 'modulation');
  const own = page.getByTestId('modulation-own');
  await expect(own.locator('rect')).toHaveCount(320, { timeout: 30_000 });
  // Found by a part of the name, of all classes and prototypes.
  const against = page.getByTestId('modulation-against');
  const offered = page.getByTestId('modulation-against-option');
  await against.fill('sonified prototype 1');
  await expect(offered.first()).toContainText('prototype 1');
  await offered.first().click();
  await expect(page.getByTestId('modulation-difference')).toBeVisible({ timeout: 60_000 });
  await expect(page.getByTestId('modulation-other')).toContainText('prototype 1');
  await screenshots(page, 'modulation-prototype');
  await against.fill('mean of');
  await screenshots(page, 'modulation-against');
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('modulation-other')).toContainText('Mean of', { timeout: 60_000 });
  await expect(against).toHaveValue(/^Mean of/);

  // By keys: the cell is told, several are chosen, and what is left of them plays.
  await own.getByRole('application').focus();
  for (const key of ['ArrowUp', 'ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowRight'])
    await page.keyboard.press(key);
  await expect(page.getByTestId('modulation-own-value')).toContainText('× 8 Hz');
  for (let i = 0; i < 30; i++) await page.keyboard.press('Shift+ArrowUp');
  await page.keyboard.press('Shift+ArrowRight');
  await expect(page.getByTestId('modulation-choice')).toContainText('modulations of 8 Hz – 16 Hz');
  await expectPlays(page, page.getByTestId('modulation-hear'));
  await expect(page.getByTestId('modulation-figures')).toContainText('chosen modulations');
  const { peak, rms } = await soundOf(page);
  expect(peak).toBeLessThan(0.9);
  expect(rms).toBeGreaterThan(0.001);
  await page.getByTestId('modulation-strength').check({ force: true });
  await screenshots(page, 'modulation');
  expect(await violations(page)).toEqual([]);
  const folder = temporaryFolder('modulation');
  await answerDialogs(app, folder);
  await page.getByTestId('modulation-save').click();
  await expect.poll(() => readdirSync(folder)).toHaveLength(1);
  rmSync(folder, { recursive: true, force: true });

  // Few of all, so that it takes seconds.
  for (const [name, value] of Object.entries({ perClass: '5', splits: '2', steps: '10' })) {
    await page.getByTestId(`modulation-${name}`).fill(value);
    await page.getByTestId(`modulation-${name}`).press('Tab');
  }
  await page.getByTestId('modulation-learn').click();
  await expect(page.getByTestId('modulation-verdict')).toContainText('by 2 splits', { timeout: 60_000 });
  await expect(page.getByTestId('modulation-filters').locator('path')).toHaveCount(16);
  await expect(page.getByTestId('modulation-rates').locator('thead th')).toHaveCount(8);
  await page.getByTestId('modulation-rates').scrollIntoViewIfNeeded();
  // What was learned is a space like others: tracks are embedded in it, and the library is seen in it and back.
  await page.getByTestId('modulation-keep-title').fill('My modulations');
  await page.getByTestId('modulation-keep-filters').click();
  await expect(page.getByTestId('modulation-kept')).toContainText('“My modulations”', { timeout: 120_000 });
  await page.getByTestId('modulation-kept').scrollIntoViewIfNeeded();
  await screenshots(page, 'modulation-filters');
  expect(await violations(page)).toEqual([]);
  await go(page, 'library');
  await page.getByTestId('track-row').first().click();
  await page.keyboard.press('Shift+S');
  await expect(page.getByTestId('similar-count')).toContainText('tracks');
  const packs = page.getByTestId('seen-in');
  const before = await packs.inputValue();
  await packs.selectOption({ label: 'My modulations' });
  await expect(packs).toHaveValue(/^modulation-/);
  await expect(page.getByTestId('similar-row').first()).toBeVisible();
  await go(page, 'map');
  await expect(page.getByTestId('map-plot')).toBeVisible();
  await expect(page.getByTestId('map-trust')).toBeVisible({ timeout: 60_000 });
  await screenshots(page, 'map-modulations');
  await go(page, 'similar');
  await packs.selectOption(before);
  await expect(packs).toHaveValue(before);
});

test('shows prototypes per class and edits them with undo', async () => {
  const { page } = running;
  await go(page, 'prototypes');
  const cards = page.getByTestId('prototype-card');
  await expect(cards.first()).toBeVisible();
  const before = await cards.count();
  await screenshots(page, '4-prototypes');
  await cards.first().getByTestId('prototype-delete').click();
  await expect(page.getByTestId('edit-preview')).toHaveAttribute('data-ready', 'true', { timeout: 30_000 });
  await expect(cards).toHaveCount(before);
  await page.getByTestId('edit-apply').click();
  await expect(cards).toHaveCount(before - 1);
  await page.keyboard.press('ControlOrMeta+z');
  await expect(cards).toHaveCount(before);
});

test('draws the map with prototypes and selects from it', async () => {
  const { page } = running;
  await go(page, 'map');
  await expect(page.getByTestId('map-plot')).toBeVisible();
  await expect(page.getByTestId('map-trust')).toBeVisible({ timeout: 60_000 });
  await page.waitForTimeout(1500);
  await screenshots(page, '3-map');
  // The keyboard path: an arrow walks to the nearest point in that direction, which is selected and announced.
  await page.getByTestId('map-plot').focus();
  await page.keyboard.press('ArrowRight');
  await expect(page.getByTestId('map-announcement')).not.toBeEmpty();
  await page.getByTestId('stop').click();

  await page.getByTestId('map-umap').check({ force: true });
  await expect(page.getByText('of the variance').first()).toBeHidden({ timeout: 120_000 });
  await expect(page.getByTestId('map-trust')).toBeVisible({ timeout: 120_000 });
  await expect(page.getByTestId('map-progress')).toBeHidden();
  await page.waitForTimeout(1000);
  await screenshots(page, '3-map-umap');
});

test('reduces the library with MChen and shows what it costs', async () => {
  const { page } = running;
  await go(page, 'reduce');
  await page.getByTestId('methods-none').click();
  await page.getByTestId('method-MChen').check();
  await page.getByTestId('reduce-sizes').fill('10');
  await page.getByTestId('reduce-start').click();
  expect(await jobState(page, 'study', 120_000)).toBe('done');
  await go(page, 'reduce');
  const result = page.getByTestId('reduce-result');
  await expect(result).toBeVisible();
  const rows = Number(await result.getAttribute('data-rows'));
  const corpus = Number(await result.getAttribute('data-corpus'));
  expect(rows).toBe(Math.trunc((10 * corpus) / 100));
  await screenshots(page, '6-reduce');
});

test('exports a bundle that reads back', async () => {
  test.setTimeout(660_000); // every prototype is drawn up to eight times and decoded twice
  const { app, page } = running;
  await answerDialogs(app, exports);
  await go(page, 'prototypes');
  await page.getByTestId('export-open').click();
  await page.getByTestId('export-start').click();
  await expect(page.getByTestId('export-result')).toBeVisible({ timeout: 600_000 });
  const folder = (await page.getByTestId('export-result').getAttribute('data-folder')) ?? '';
  expect(existsSync(folder)).toBe(true);

  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as {
    schema: string;
    files: { path: string; sha256: string; bytes: number }[];
  };
  expect(manifest.schema).toBe('archetone.export/1');
  expect(manifest.files.length).toBeGreaterThan(3);
  for (const file of manifest.files) {
    const data = readFileSync(join(folder, file.path));
    expect(createHash('sha256').update(data).digest('hex'), file.path).toBe(file.sha256);
  }
  const rows = parse<Record<string, string>>(readFileSync(join(folder, 'prototypes.csv')), { columns: true });
  const arrays = readNpz(readFileSync(join(folder, 'prototypes.npz')));
  const shapes = [...arrays.values()].map((array) => array.shape[0]);
  expect(shapes).toContain(rows.length);
  const sounds = readdirSync(join(folder, 'audio')).filter((name) => name.endsWith('.wav'));
  expect(sounds.length).toBe(rows.length);
  expect(readdirSync(join(folder, 'playlists')).every((name) => basename(name).endsWith('.m3u8'))).toBe(true);
});

test('shows the installed pack and checks the execution providers', async () => {
  const { page } = running;
  await go(page, 'packs');
  await expect(page.getByTestId('pack').first()).toContainText('Archetone compact');
  await page.getByTestId('pack-verify').first().click();
  await expect(page.getByTestId('pack-verification').first()).toBeVisible({ timeout: 60_000 });
  await screenshots(page, '7-packs');
});

test('the menu of a class leads to its tracks, misses, prototypes and place on the map', async () => {
  const { page } = running;
  const rows = page.getByTestId('class-report').locator('[data-class-name]');
  let name = '';
  const choose = async (entry: string): Promise<void> => {
    await go(page, 'train');
    name = (await rows.first().getAttribute('data-class-name')) ?? '';
    await rows.first().click({ button: 'right' });
    await page.getByTestId('class-menu').getByTestId(`menu-${entry}`).click();
  };
  const search = page.getByTestId('track-search');
  await choose('class-tracks');
  await expect(search).toHaveValue(`label:${name}`);
  await expect(page.getByTestId('track-row').first()).toContainText(name);
  await choose('class-missed');
  await expect(search).toHaveValue(`label:${name} is:wrong`);
  await search.fill('');
  await choose('class-prototypes');
  await expect(page.getByTestId('prototype-card').first()).toHaveAttribute('data-class', name);
  await choose('class-map');
  const shown = page.getByRole('checkbox', { name: /^Show / });
  await expect(page.getByRole('checkbox', { name: `Show ${name}`, exact: true })).toBeChecked();
  await expect.poll(async () => (await shown.all()).length).toBeGreaterThan(1);
  for (const box of await shown.all())
    expect(await box.isChecked(), (await box.getAttribute('aria-label')) ?? '').toBe(
      (await box.getAttribute('aria-label')) === `Show ${name}`,
    );
});

test('embeds fewer windows per track when asked', async () => {
  const { page } = running;
  await go(page, 'library');
  await expect(page.getByTestId('track-count')).toHaveAttribute('title', /249 windows/);
  await page.getByTestId('windows').selectOption('1');
  await expect(page.getByTestId('track-count')).toHaveAttribute('title', /207 windows/, {
    timeout: 60_000,
  });
});

test('nothing complained in the console', () => {
  expect(running.complaints).toEqual([]);
});
