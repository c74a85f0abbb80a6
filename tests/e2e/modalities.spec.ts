import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeAlbums } from '../support/albums.ts';
import { imageGraph, writeImageNetwork } from '../support/image-network.ts';
import { expect, launch, temporaryFolder, test } from './support/app.ts';
import { violations } from './support/axe.ts';
import { answerDialogs, expectPlays, go, screenshots } from './support/steps.ts';

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

test('learns sound, covers and words in one space, finds recordings by either, and shows covers that look wrong', async () => {
  test.setTimeout(600_000);
  const [userData, music, elsewhere] = [
    temporaryFolder('modalities'),
    temporaryFolder('albums'),
    temporaryFolder('pictures'),
  ];
  // The covers of the lowest and of the highest artist's second albums are exchanged.
  writeAlbums(music, { artists: 24, seconds: 2.5, sampleRate: 24_000, swapped: [3, 45] });
  writeFileSync(join(music, 'Artist 05', 'Album 1', 'cover.png'), 'This is no picture.');
  const sleeve = join(elsewhere, 'sleeve.png');
  copyFileSync(join(music, 'Artist 00', 'Album 1', 'cover.png'), sleeve);
  const text = join(elsewhere, 'text.png');
  writeFileSync(text, 'This is no picture, whatever it is called.');

  const { app, page } = await launch(userData);
  page.setDefaultTimeout(60_000);
  await answerDialogs(app, music);
  await page.getByTestId('open-folder').click();
  await expect(page.getByTestId('next-step')).toBeVisible({ timeout: 300_000 });
  await go(page, 'similar');
  await page.getByTestId('open-covers-and-words').click();
  await expect(page.getByTestId('modality-ready')).toContainText('96 tracks of 24 classes');
  await expect(page.getByTestId('modality-ready')).toContainText('2 tracks without a cover');
  await page.getByText('Without a cover', { exact: true }).click();
  await expect(page.getByTestId('cover-left-out').first()).toContainText('cover.png beside it is no JPEG');
  await page.getByTestId('modality-learn').click();
  const trials = page.getByTestId('trial');
  await expect(trials).toHaveCount(6, { timeout: 300_000 });
  await expect(trials.filter({ hasText: 'Sound – cover' })).toHaveAttribute('data-usable', 'true');
  await expect(trials.filter({ hasText: 'Sound – words' })).toHaveAttribute('data-usable', 'true');
  await screenshots(page, 'modalities-learn');

  await page.getByTestId('modality-find-part').check({ force: true });
  await answerDialogs(app, text, sleeve);
  await page.getByTestId('find-by-cover').click();
  await expect(page.getByRole('alert')).toContainText('is no picture');
  await page.getByTestId('find-by-cover').click();
  const found = page.getByTestId('found-track');
  const paths = (): Promise<string[]> =>
    found.evaluateAll((rows) => rows.slice(0, 6).map((row) => row.getAttribute('data-path') ?? ''));
  const artists = async (): Promise<number[]> => (await paths()).map((path) => Number(path.slice(7, 9)));
  await expect(page.getByTestId('found-count')).toContainText('sleeve.png');
  // The cover of the lowest artist finds low sounds, and words of the highest find high ones: on the whole, for one search in four errs.
  expect(mean(await artists())).toBeLessThan(10);
  await page.getByTestId('find-words').fill('needle spark ice');
  await page.getByTestId('find-by-words').click();
  await expect(page.getByTestId('found-count')).toContainText('needle spark ice');
  expect(mean(await artists())).toBeGreaterThan(13);
  await expectPlays(page, found.first().getByRole('button'));
  await screenshots(page, 'modalities-find');

  await page.getByTestId('modality-covers-part').check({ force: true });
  const fits = page.getByTestId('cover-fit');
  await expect(fits).toHaveCount(47);
  const worst = await fits.evaluateAll((rows) =>
    rows.slice(0, 6).map((row) => row.getAttribute('data-path') ?? ''),
  );
  expect(worst).toEqual(
    expect.arrayContaining([
      expect.stringContaining('Artist 01/Album 2'),
      expect.stringContaining('Artist 22/Album 2'),
    ]),
  );
  await screenshots(page, 'modalities-covers');

  await page.getByTestId('modality-classes-part').check({ force: true });
  await expect(page.getByTestId('shared-class')).toHaveCount(24);
  await expect(page.getByTestId('shared-class').first().getByTestId('cover').first()).toBeVisible();
  await screenshots(page, 'modalities-classes');
  expect(await violations(page)).toEqual([]);

  await page.getByTestId('modality-learn-part').check({ force: true });
  await page.getByTestId('modality-forget').click();
  await page.getByTestId('confirm').click();
  await expect(page.getByTestId('shared-space')).toHaveCount(0);

  // Covers looked at by a network of one's own: without its JSON it is refused, and nothing is learned.
  const network = join(elsewhere, 'pictures.onnx');
  writeFileSync(network, imageGraph(1));
  await answerDialogs(app, network);
  await page.getByTestId('image-network').click();
  await page.getByTestId('modality-learn').click();
  await expect(page.getByRole('alert')).toContainText('pictures.json');
  writeImageNetwork(network);
  await page.getByTestId('modality-learn').click();
  await expect(page.getByTestId('shared-space')).toContainText('looked at by Random pixels', {
    timeout: 300_000,
  });
  await screenshots(page, 'modalities-network');
  expect(await violations(page)).toEqual([]);
  await page.getByTestId('modality-close').click();
  await app.close();
  for (const folder of [userData, music, elsewhere]) rmSync(folder, { recursive: true, force: true });
});
