import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, launch, test } from './support/app.ts';
import { importedDemo } from './support/demo.ts';
import type { Page } from '@playwright/test';
import { openLargeLibrary } from './support/large-library.ts';
import { answerDialogs, expectPlays, go, jobState, screenshots } from './support/steps.ts';

const revision = (page: Page): Promise<string | null> =>
  page.getByTestId('revision').getAttribute('data-revision');

test('an edit is looked at, made, undone, and undone again after a restart', async () => {
  test.setTimeout(600_000);
  const userData = await importedDemo('studio');
  let running = await launch(userData);
  try {
    let { page } = running;
    page.setDefaultTimeout(30_000);
    await page.getByTestId('open-demo').click();
    await expect(page.getByTestId('library-table')).toBeVisible();
    expect(await jobState(page, 'import', 300_000)).toBe('done');
    await go(page, 'train');
    await page.getByTestId('taxonomy-create-tokens').click();
    await page.getByText('One class', { exact: true }).click();
    await page.getByTestId('train-start').click();
    expect(await jobState(page, 'train', 300_000)).toBe('done');
    await go(page, 'prototypes');
    const rows = page.getByTestId('prototype-card');
    await expect(rows.first()).toBeVisible();
    const before = await rows.count();
    await expect(page.getByTestId('class-map')).toBeVisible();
    await expect(page.getByTestId('class-coverage')).toContainText('%');

    // By keys alone: the second row, what is real near it, and what deleting it would do.
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await expect(rows.nth(1)).toHaveAttribute('data-current', 'true');
    await expectPlays(page, rows.nth(1).getByTestId('prototype-b'));
    await page.keyboard.press('Delete');
    const preview = page.getByTestId('edit-preview');
    await expect(preview).toHaveAttribute('data-ready', 'true');
    await expect(preview).toContainText('Accuracy');
    await screenshots(page, 'studio-preview');
    await page.keyboard.press('Escape');
    await expect(preview).toHaveCount(0);
    expect(await revision(page)).toBe('1');

    // From one prototype to another by keys: the beginning plays, then the next point; Escape leaves the line.
    await page.keyboard.press('x');
    const morph = page.getByTestId('morph');
    await expect(morph).toHaveAttribute('data-point', '0');
    await page.keyboard.press('ArrowRight');
    await expect(morph).toHaveAttribute('data-point', '1');
    await expect(page.locator('.player .title')).toContainText('25 %', { timeout: 120_000 });
    await expect(morph).toContainText('5 of 5 sounds', { timeout: 300_000 });
    await screenshots(page, 'studio-morph');
    await page.keyboard.press('Escape');
    await expect(morph).toHaveCount(0);
    await expect(rows.nth(1).getByTestId('picture-b')).toHaveAttribute('data-drawn', 'true');
    // The map is gone through by keys, and what it stops at is said.
    await page.getByTestId('class-map-points').focus();
    await page.keyboard.press('ArrowLeft');
    await expect(page.getByTestId('class-map-told')).toContainText(/Prototype|Training window/);
    await page.keyboard.press('Enter');
    await expect(page.getByTestId('play')).toHaveAttribute('aria-label', /Pause/, { timeout: 30_000 });
    await page.getByTestId('class-row').first().click();

    // The melody of a track goes into the roll, and out by one step back.
    await go(page, 'library');
    await page.getByTestId('track-search').fill('ambi_choir');
    await expect(page.getByTestId('track-row')).toHaveCount(1);
    await page.getByTestId('track-row').first().click();
    await expect(page.locator('.player .title')).toContainText('ambi_choir');
    await page.getByTestId('track-search').fill('');
    await go(page, 'prototypes');
    await rows.nth(0).click();
    await page.getByTestId('melody-open').click();
    const roll = page.getByTestId('piano-roll');
    await page.getByTestId('melody-track').click();
    await expect(roll).not.toHaveAttribute('data-notes', '0', { timeout: 60_000 });
    await page.getByTestId('melody-undo').click();

    // A melody, by keys and pointer, on the prototype; out as MIDI and WAV, and in again.
    await expect(page.getByTestId('melody-empty')).toBeVisible();
    await expect(page.getByTestId('melody-play')).toBeDisabled();
    await roll.focus();
    for (const key of ['Enter', 'ArrowUp', 'ArrowUp', 'Enter', 'ArrowUp', 'ArrowUp', 'Enter'])
      await page.keyboard.press(key);
    await expect(roll).toHaveAttribute('data-notes', '3');
    await page.keyboard.press('ControlOrMeta+z');
    await expect(roll).toHaveAttribute('data-notes', '2');
    await page.keyboard.press('ControlOrMeta+Shift+z');
    // Drawn by a drag: as long as it is wide; then the last one moved up by keys.
    const note = page.getByTestId('note');
    const last = await note.last().boundingBox();
    if (!last) throw new Error('no note is drawn');
    await page.mouse.move(last.x + last.width + 20, last.y + 60);
    await page.mouse.down();
    await page.mouse.move(last.x + last.width + 90, last.y + 60, { steps: 4 });
    await page.mouse.up();
    await expect(roll).toHaveAttribute('data-notes', '4');
    expect((await note.last().boundingBox())?.width).toBeGreaterThan(last.width * 3);
    const pitch = Number(await note.last().getAttribute('data-pitch'));
    await page.keyboard.press('ArrowUp');
    await expect(note.last()).toHaveAttribute('data-pitch', String(pitch + 1));
    expect(await revision(page)).toBe('1');
    await page.getByTestId('melody-play').click();
    await expect(page.locator('.player .title')).toContainText('Melody on', { timeout: 120_000 });
    const heard = page.getByTestId('melody-heard');
    await expect(heard).toContainText('the same notes by a sine');
    await expect(heard).not.toContainText('Changed since');
    // Bars are as long as their classes are probable.
    const bar = heard.locator('.bar').first();
    const [whole, filled] = [await bar.boundingBox(), await bar.locator('span').boundingBox()];
    const most = Number((await heard.locator('li .num').first().textContent())?.replace(/[^\d.]/g, '')) / 100;
    expect((filled?.width ?? NaN) / (whole?.width ?? NaN)).toBeCloseTo(most, 1);
    await screenshots(page, 'melody');
    const out = mkdtempSync(join(tmpdir(), 'archetone-melody-'));
    try {
      await answerDialogs(running.app, out);
      await page.getByTestId('melody-midi').click();
      await expect.poll(() => readdirSync(out).filter((name) => name.endsWith('.mid')).length).toBe(1);
      await page.getByTestId('melody-wav').click();
      await expect
        .poll(() => readdirSync(out).filter((name) => name.endsWith('.wav')).length, { timeout: 60_000 })
        .toBe(1);
      await page.getByTestId('melody-clear').click();
      await expect(roll).toHaveAttribute('data-notes', '0');
      const midi = readdirSync(out).find((name) => name.endsWith('.mid')) ?? '';
      await answerDialogs(running.app, join(out, midi));
      await page.getByTestId('melody-import').click();
      await expect(roll).toHaveAttribute('data-notes', '4');
      // What is no MIDI is told, and loses nothing.
      writeFileSync(join(out, 'none.mid'), 'no MIDI');
      await answerDialogs(running.app, join(out, 'none.mid'));
      await page.getByTestId('melody-import').click();
      await expect(page.getByText('This is no standard MIDI file.')).toBeVisible();
      await expect(roll).toHaveAttribute('data-notes', '4');
    } finally {
      rmSync(out, { recursive: true, force: true });
    }
    // Escape leaves the roll, too, where no note is chosen.
    await roll.focus();
    await page.keyboard.press('Escape');
    await expect(roll).toHaveCount(0);

    // The menu is of the row it is opened on, and of the class.
    await rows.nth(0).click({ button: 'right' });
    const menu = page.getByTestId('prototype-menu');
    await expect(menu).toBeVisible();
    await expect(rows.nth(0)).toHaveAttribute('data-current', 'true');
    await screenshots(page, 'prototype-menu');
    await menu.getByTestId('menu-rename').click();
    await expect(page.getByTestId('edit-name')).toBeFocused();
    await rows.nth(0).click({ button: 'right' });
    await menu.getByTestId('menu-similar').click();
    await expect(page.getByTestId('similar-row').first()).toBeVisible();
    await expect(page.getByTestId('similar-query')).toContainText('#');
    await go(page, 'prototypes');
    await page.getByTestId('class-row').first().click({ button: 'right' });
    await page.getByTestId('menu-class-similar').click();
    await expect(page.getByTestId('similar-row').first()).toBeVisible();
    expect(await page.getByTestId('similar-query').count()).toBeGreaterThan(1);
    await go(page, 'prototypes');
    await page.getByTestId('class-row').first().click({ button: 'right' });
    await page.getByTestId('menu-class-predicted').click();
    await expect(page.getByTestId('track-search')).toHaveValue(/^pred:/);
    await expect(page.getByTestId('track-count')).toContainText('found');
    await page.getByTestId('track-search').fill('');
    await go(page, 'map');
    await page.waitForTimeout(3000);
    await page.getByTestId('map-plot').focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Shift+F10');
    await expect(page.getByTestId('map-menu')).toBeVisible();
    await screenshots(page, 'map-menu');
    await page.keyboard.press('Escape');
    await go(page, 'prototypes');
    await page.getByTestId('class-row').first().click();

    // Merged into one, named, and both made.
    await rows.nth(0).getByTestId('prototype-mark').check();
    await rows.nth(1).getByTestId('prototype-mark').check();
    await page.getByTestId('edit-merge').click();
    await expect(preview).toHaveAttribute('data-ready', 'true');
    await page.getByTestId('edit-apply').click();
    await expect(rows).toHaveCount(before - 1);
    await rows.nth(0).click();
    await page.getByTestId('edit-name').fill('Both of them');
    await page.keyboard.press('Enter');
    await expect(preview).toHaveAttribute('data-ready', 'true');
    await page.getByTestId('edit-apply').click();
    await expect(rows.first()).toContainText('Both of them');
    expect(await revision(page)).toBe('3');
    await expect(page.getByTestId('history-entry')).toHaveCount(3);
    await screenshots(page, 'studio');

    await page.keyboard.press('ControlOrMeta+z');
    await expect(rows.first()).not.toContainText('Both of them');
    expect(await revision(page)).toBe('2');

    await running.app.close();
    running = await launch(userData);
    ({ page } = running);
    await expect(page.getByTestId('library-name')).toBeVisible({ timeout: 60_000 });
    await go(page, 'prototypes');
    const again = page.getByTestId('prototype-card');
    await expect(again).toHaveCount(before - 1, { timeout: 30_000 });
    await expect(page.getByTestId('history-entry')).toHaveCount(3);
    await page.keyboard.press('ControlOrMeta+z');
    await expect(again).toHaveCount(before);
    expect(await revision(page)).toBe('1');
    await page.keyboard.press('ControlOrMeta+Shift+z');
    await expect(again).toHaveCount(before - 1);

    // Frozen by key, and the rest trained on around it; undone like an edit.
    const at = Number(await revision(page));
    await again.first().click();
    await page.keyboard.press('f');
    await expect(again.first().getByTestId('prototype-frozen')).toBeVisible();
    await page.getByLabel('Steps of retraining').fill('60');
    await page.getByTestId('retrain-start').click();
    await expect(page.getByTestId('history-entry').first()).toContainText('around 1 frozen one', {
      timeout: 60_000,
    });
    await expect(page.getByText('Retrained: revision')).toBeVisible();
    await screenshots(page, 'studio-retrained');
    const retrained = (await revision(page)) ?? '';
    await page.keyboard.press('ControlOrMeta+z');
    await expect(page.getByTestId('revision')).not.toHaveAttribute('data-revision', retrained);
    await expect(again.first().getByTestId('prototype-frozen')).toBeVisible();
    await page.keyboard.press('ControlOrMeta+z');
    await expect(again.first().getByTestId('prototype-frozen')).toHaveCount(0);
    expect(Number(await revision(page))).toBe(at);

    // Kept as a new experiment, the old one stays.
    await again.first().getByTestId('prototype-delete').click();
    await expect(page.getByTestId('edit-preview')).toHaveAttribute('data-ready', 'true');
    await page.getByTestId('edit-keep').click();
    await expect(page.getByTestId('experiment').locator('option')).toHaveCount(2);
    await expect(page.getByTestId('revision')).toHaveAttribute('data-revision', '1');

    // Side by side with the one it was kept from: a prototype is missing here.
    const other = page.getByTestId('compare-with').locator('optgroup[label=Experiments] option');
    await page.getByTestId('compare-with').selectOption((await other.first().getAttribute('value')) ?? '');
    const compared = page.getByTestId('model-compare');
    await expect(compared).toContainText('1 only in B');
    await page.getByTestId('compare-changed').check();
    await page.keyboard.press('ArrowDown');
    await screenshots(page, 'studio-compare');
    await page.keyboard.press('Escape');
    await expect(compared).toHaveCount(0);

    // The sound of one prototype, as a file.
    await answerDialogs(running.app, userData);
    await again.first().click({ button: 'right' });
    await page.getByTestId('menu-save-sound').click();
    await expect(page.getByText('The sound is saved.')).toBeVisible({ timeout: 60_000 });
    expect(readdirSync(userData).filter((name) => / prototype \d+\.wav$/.test(name))).toHaveLength(1);

    // Named, annotated and pinned, with undo; and both settings tried again on other splits.
    await go(page, 'train');
    const experiments = page.getByTestId('experiment-row');
    await experiments.nth(1).click();
    await page.getByTestId('experiment-describe').click();
    await page.getByTestId('experiment-name-field').fill('As it was trained');
    await page.getByTestId('experiment-notes-field').fill('Before the edits');
    await page.getByTestId('experiment-save').click();
    await expect(page.getByTestId('experiment-name')).toHaveText('As it was trained');
    await page.getByTestId('experiment-pin').click();
    await expect(experiments.first()).toContainText('Before the edits');
    await page.keyboard.press('ControlOrMeta+z');
    await expect(experiments.nth(1)).toContainText('As it was trained');
    await page.keyboard.press('ControlOrMeta+z');
    await expect(page.getByTestId('experiment-name')).not.toHaveText('As it was trained');
    const beside = page.getByTestId('compare-experiments');
    await beside.getByTestId('compare-with').selectOption({ index: 1 });
    await expect(beside.getByTestId('compare-mcnemar')).toBeVisible();
    await beside.getByTestId('repeated-count').fill('2');
    await beside.getByTestId('repeated-start').click();
    await expect(beside.getByTestId('repeated-cancel')).toBeVisible();
    // Edits take no part: one setting against itself.
    await expect(beside.getByTestId('repeated-accuracy')).toContainText('no difference is shown', {
      timeout: 240_000,
    });
    await beside.getByTestId('compare-same').click();
    await expect(beside.getByTestId('compare-parameters')).toContainText('learningRate');
    await beside.getByTestId('repeated-table').scrollIntoViewIfNeeded();
    await screenshots(page, 'compare-experiments');
    await experiments.first().click();
    await go(page, 'prototypes');

    // A whole blind test by keys: two sounds are named, two pairs judged, and X found twice.
    await page.getByTestId('listening-open').click();
    const listening = page.getByTestId('listening');
    for (const kind of ['classRounds', 'realRounds', 'abxRounds'])
      await page.getByTestId(`listening-${kind}`).fill('2');
    await page.getByTestId('listening-seed').fill('3');
    await page.keyboard.press('Enter');
    const question = page.getByTestId('listening-question');
    await expect(question).toHaveAttribute('data-kind', 'class', { timeout: 240_000 });
    await expect(page.getByTestId('listening-answer')).toHaveCount(5);
    await screenshots(page, 'listening-class');
    for (const [round, key] of ['1', '2', '1', '2', '1', '2'].entries()) {
      await expect(question).toHaveAttribute('data-round', String(round));
      if (round === 4) {
        await expect(question).toContainText('Is X the sound A or the sound B?');
        await page.keyboard.press('x');
        await screenshots(page, 'listening-abx');
      }
      await page.keyboard.press(' ');
      await page.keyboard.press(key);
    }
    await expect(listening).toHaveAttribute('data-phase', 'done');
    await expect(page.getByTestId('listening-result')).toContainText('of 2');
    await expect(page.getByTestId('listening-tests')).toContainText('compact');
    await screenshots(page, 'listening-result');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await expect(listening).toHaveCount(0);
    expect(running.complaints).toEqual([]);
  } finally {
    await running.app.close();
    rmSync(userData, { recursive: true, force: true });
  }
});

test('shows 200 classes and finds one of them', async ({ running: { page, complaints } }) => {
  await openLargeLibrary(page);
  await go(page, 'prototypes');
  await expect(page.getByTestId('class-list')).toHaveAttribute('data-rows', '200');
  await page.getByTestId('prototype-find').fill('class 150');
  await expect(page.getByTestId('prototype-card').first()).toHaveAttribute('data-class', /150/);
  await screenshots(page, 'studio-large');
  expect(complaints).toEqual([]);
});
