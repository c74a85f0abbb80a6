import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeWav } from '../../models/audio/encode-wav.ts';
import { writeMidiFile } from '../../models/melody/midi.ts';
import { Random } from '../../models/numerics/random.ts';
import { madeUpMelody } from '../support/made-up-melodies.ts';
import { expect, temporaryFolder, test } from './support/app.ts';
import { violations } from './support/axe.ts';
import { answerDialogs, go, jobState, openLibrary, screenshots, windowSizes } from './support/steps.ts';

test('melodies are kept, renamed, deleted, brought back and continued', async ({ running }) => {
  test.setTimeout(300_000);
  const { app, page } = running;
  const folder = temporaryFolder('melodies-music');
  const rate = 22_050;
  const random = new Random(1);
  try {
    for (const [name, hz] of [
      ['low', 220],
      ['high', 1760],
    ] as const) {
      mkdirSync(join(folder, name));
      for (let i = 0; i < 6; i++) {
        const samples = Float32Array.from(
          { length: (1.2 + 0.25 * i) * rate },
          (_, t) => 0.3 * Math.sin((2 * Math.PI * hz * t) / rate) + 0.02 * random.normal(),
        );
        writeFileSync(join(folder, name, `${name} ${String(i)}.wav`), encodeWav(samples, rate, 'pcm16'));
      }
    }
    writeFileSync(join(folder, 'Theme.mid'), writeMidiFile(madeUpMelody(1), 120));
    await openLibrary(running, folder);
    expect(await jobState(page, 'import', 120_000)).toBe('done');
    await go(page, 'train');
    await page.getByTestId('taxonomy-create-folders').click();
    await page.getByTestId('train-start').click();
    expect(await jobState(page, 'train', 120_000)).toBe('done');
    await go(page, 'prototypes');
    await page.getByTestId('prototype-card').first().click();
    await page.getByTestId('melody-open').click();
    const roll = page.getByTestId('piano-roll');

    // Before anything is kept both say what to do.
    await page.getByTestId('melodies').click();
    await expect(page.getByTestId('melody-list-empty')).toBeVisible();
    await page.keyboard.press('Escape');
    await page.getByTestId('melody-continue-open').click();
    await expect(page.getByTestId('melody-continue-none')).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(roll).toBeVisible();

    // What is imported is kept at once, what is drawn when that is asked for.
    await answerDialogs(app, join(folder, 'Theme.mid'));
    await page.getByTestId('melody-import').click();
    await expect(page.getByTestId('melodies')).toHaveText('Melodies (1)');
    await page.getByTestId('melody-clear').click();
    await roll.focus();
    for (const key of ['Enter', 'ArrowUp', 'ArrowUp', 'Enter']) await page.keyboard.press(key);
    await page.getByTestId('melody-keep').click();
    await expect(page.getByTestId('melodies')).toHaveText('Melodies (2)');

    // Escape leaves the name as it was, and the list open; a name that is taken is told.
    await page.getByTestId('melodies').click();
    const rows = page.getByTestId('melody-row');
    await rows.first().getByTestId('melody-rename').click();
    await page.getByTestId('melody-new-name').fill('Nothing');
    await page.keyboard.press('Escape');
    await expect(page.getByTestId('melody-new-name')).toHaveCount(0);
    await expect(rows.first()).toHaveAttribute('data-name', 'Melody');
    await rows.first().getByTestId('melody-rename').click();
    await page.getByTestId('melody-new-name').fill('Two notes');
    await page.keyboard.press('Enter');
    await expect(rows.first()).toHaveAttribute('data-name', 'Two notes');
    expect(await violations(page, '.named-list')).toEqual([]);
    await screenshots(page, 'melodies-kept');
    await rows.first().getByTestId('melody-remove').click();
    await expect(rows).toHaveCount(1);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Undo', exact: true }).last().click();
    await expect(page.getByTestId('melodies')).toHaveText('Melodies (2)');

    // The theme goes into the roll, and on.
    await page.getByTestId('melodies').click();
    await page.locator('[data-testid=melody-row][data-name=Theme]').getByTestId('melody-pick').click();
    const notes = madeUpMelody(1).length;
    await expect(roll).toHaveAttribute('data-notes', String(notes));
    await page.getByTestId('melody-continue-open').click();
    await page.getByTestId('melody-bars').fill('2');
    await page.getByTestId('melody-continue').click();
    await expect.poll(async () => Number(await roll.getAttribute('data-notes'))).toBeGreaterThan(notes);
    await page.getByTestId('melody-continue-open').click();
    await expect(page.getByTestId('melody-learning')).toHaveAttribute('data-better', 'markov');
    expect(await violations(page, '.continue-melody')).toEqual([]);
    await screenshots(page, 'melodies-continue');
    await page.keyboard.press('Escape');
    await page.getByTestId('melody-undo').click();
    await expect(roll).toHaveAttribute('data-notes', String(notes));

    // Where the window is low the grid and what plays it are still in sight.
    for (const size of [{ width: 1280, height: 800 }, windowSizes['zoom-200']]) {
      await page.setViewportSize(size);
      await page.getByTestId('melody-close').click();
      await page.getByTestId('melody-open').click();
      await expect(roll).toBeInViewport({ ratio: 0.3 });
      await screenshots(page, `melodies-${String(size.width)}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
