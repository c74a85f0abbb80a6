import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, launch, repository, temporaryFolder, test } from './support/app.ts';
import { violations } from './support/axe.ts';
import { importedDemo } from './support/demo.ts';
import { answerDialogs, go, openLabelledDemo, screenshots } from './support/steps.ts';

/** Playlists of the demo sounds: each keeps to one kind of sound, the word that their names begin with. */
function writePlaylists(folder: string): void {
  const sounds = join(repository, 'node_modules/supersonic-scsynth-samples/samples');
  const kinds = new Map<string, string[]>();
  for (const name of readdirSync(sounds).sort()) {
    const kind = name.split('_')[0] ?? '';
    kinds.set(kind, [...(kinds.get(kind) ?? []), join(sounds, name)]);
  }
  for (const [kind, files] of kinds)
    for (const part of [0, 1]) {
      const lines = files.filter((_, i) => i % 3 !== part);
      writeFileSync(
        join(folder, `${kind} ${String(part)}.m3u8`),
        `#EXTM3U\n${lines.join('\n')}\ngone/elsewhere.wav\n`,
      );
    }
}

test('learns a similarity from playlists, sees the library in it and back, and trains in both spaces', async () => {
  test.setTimeout(500_000);
  const userData = await importedDemo('similarity');
  const lists = temporaryFolder('playlists');
  writePlaylists(lists);
  const { app, page } = await launch(userData);
  page.setDefaultTimeout(60_000);
  await openLabelledDemo(page);
  await go(page, 'similar');
  await page.getByTestId('learn-from-playlists').click();
  await expect(page.getByTestId('learn-missing')).toContainText('There are no playlists');
  await expect(page.getByTestId('learn-start')).toBeDisabled();
  await answerDialogs(app, lists);
  await page.getByTestId('playlist-folder').click();
  await expect(page.getByTestId('playlists-added')).toContainText('playlists added', { timeout: 60_000 });
  await page.getByTestId('playlists').getByRole('button', { name: '1', exact: true }).first().click();
  await expect(page.getByTestId('unmatched')).toContainText('No file of the library is called so.');
  await expect(page.getByTestId('learn-missing')).toHaveCount(0);
  await page.getByTestId('learn-start').click();
  await expect(page.getByTestId('space-figures').first()).toBeVisible({ timeout: 300_000 });
  await expect(page.getByTestId('space-figures').first()).toContainText('Learned from shuffled playlists');
  await expect(page.getByTestId('space-verdict').first()).toContainText(/finds your playlists|Cannot tell/);
  await expect(page.getByTestId('space-use')).toHaveText('In use');
  await screenshots(page, 'learn-similarity');
  await page.getByTestId('learn-close').click();

  await go(page, 'library');
  await page.getByTestId('track-row').first().click();
  await page.keyboard.press('Shift+S');
  await expect(page.getByTestId('similar-count')).toContainText('tracks');
  const nearest = (): Promise<string[]> =>
    page
      .getByTestId('similar-row')
      .evaluateAll((rows) => rows.map((row) => row.getAttribute('data-path') ?? ''));
  const learned = await nearest();
  await page.getByTestId('seen-in').selectOption({ index: 0 });
  await expect.poll(nearest).not.toEqual(learned);
  await page.getByTestId('seen-in').selectOption({ label: 'My similarity' });
  await expect.poll(nearest).toEqual(learned);
  await go(page, 'map');
  await expect(page.getByTestId('map-plot')).toBeVisible();
  await expect(page.getByTestId('map-trust')).toBeVisible({ timeout: 60_000 });
  await screenshots(page, 'map-similarity');

  await go(page, 'train');
  await page.getByText('Quick', { exact: true }).click();
  const choice = page.getByTestId('views').getByRole('checkbox');
  await expect(choice).toHaveCount(2);
  // A space beside these, embedded from here.
  await page.getByTestId('view-pack').selectOption('mfcc');
  await page.getByTestId('view-embed').click();
  await expect(choice).toHaveCount(3, { timeout: 120_000 });
  await expect(page.getByTestId('view-mfcc')).not.toBeChecked();
  await expect(page.getByTestId('views')).toContainText('My similarity');
  await expect(choice.first()).toBeChecked();
  await choice.nth(1).check();
  await page.getByTestId('train-start').click();
  await expect(page.getByTestId('views-panel')).toBeVisible({ timeout: 300_000 });
  await expect(page.getByTestId('views-panel').locator('tbody tr')).toHaveCount(2);
  await expect(page.getByTestId('views-panel').locator('svg path').first()).toBeAttached();
  await screenshots(page, 'train-views');
  expect(await violations(page)).toEqual([]);
  await go(page, 'library');
  await page.getByTestId('track-row').first().click();
  const parts = page.getByTestId('why-views');
  await expect(parts).toBeVisible({ timeout: 60_000 });
  await expect(parts.locator('dt')).toHaveCount(4);
  await expect(page.getByTestId('why-views-sum')).toHaveAttribute('data-exact', 'true');
  await screenshots(page, 'why-views');
  expect(await violations(page)).toEqual([]);

  // The studio shows the prototypes of one view at a time, and edits them there.
  await go(page, 'prototypes');
  const cards = page.getByTestId('prototype-card');
  await expect(cards.first()).toBeVisible({ timeout: 60_000 });
  const silent = page.getByTestId('view-silent');
  // One of the two is the learned space, which has no decoder; the other one sounds.
  const first = await silent.count();
  await screenshots(page, 'prototypes-view-first');
  await page.getByTestId('studio-view-1').check({ force: true });
  await expect(silent).toHaveCount(1 - first);
  if (first === 1) await page.getByTestId('studio-view-0').check({ force: true });
  await expect(silent).toContainText('no decoder');
  await expect(cards.first()).toBeVisible();
  await expect(page.getByTestId('prototype-a').first()).toBeDisabled();
  await expect(page.getByTestId('melody-open')).toBeDisabled();
  await expect(page.getByTestId('not-with-views')).toBeVisible();
  await cards.first().click();
  await page.getByTestId('prototype-delete').first().click();
  await expect(page.getByTestId('edit-apply')).toBeEnabled({ timeout: 60_000 });
  await screenshots(page, 'prototypes-view-second');
  expect(await violations(page)).toEqual([]);
  const before = await cards.count();
  await page.getByTestId('edit-apply').click();
  await expect(cards).toHaveCount(before - 1);
  await page.keyboard.press('Control+z');
  await expect(cards).toHaveCount(before);

  await go(page, 'similar');
  await page.getByTestId('learn-from-playlists').click();
  await page.getByTestId('space-forget').click();
  await page.getByTestId('confirm').click();
  await expect(page.getByTestId('learned-space')).toHaveCount(0);
  await page.getByTestId('learn-close').click();
  // The other spaces are still there to be seen in.
  await expect(page.getByTestId('seen-in')).not.toContainText('My similarity');
  await page.getByTestId('seen-in').selectOption({ label: 'MFCC and Δ' });
  await expect.poll(nearest).not.toEqual(learned);
  await app.close();
  for (const folder of [userData, lists]) rmSync(folder, { recursive: true, force: true });
});
