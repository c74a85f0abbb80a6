// Makes the pictures of the guide (docs/images) from the built application, on the demo samples: run it again when a view has
// changed. Needs a display (xvfb-run) and `npm run build`. What is seen and heard in the demo is CC0.
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { _electron } from '@playwright/test';

const repository = resolve(import.meta.dirname, '..');
const images = join(repository, 'docs', 'images');
const size = { width: 1200, height: 760 };
/** A guide that is read in the window is part of the package. */
const most = 200 * 1024;
const patience = 600_000;

const userData = mkdtempSync(join(tmpdir(), 'archetone-pictures-'));
mkdirSync(images, { recursive: true });
const app = await _electron.launch({
  args: [repository, `--user-data-dir=${userData}`],
  cwd: repository,
  timeout: patience,
});
try {
  const page = await app.firstWindow();
  page.setDefaultTimeout(patience);
  await page.setViewportSize(size);
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  const at = (id) => page.getByTestId(id);
  const take = async (name) => {
    // The pointer would show what is under it.
    await page.mouse.move(2, 2);
    for (const close of await page.locator('[data-testid=notice-close]').all()) await close.click();
    await page.waitForTimeout(800);
    const path = join(images, `${name}.png`);
    await page.screenshot({ path, scale: 'css', animations: 'disabled' });
    const { size: bytes } = statSync(path);
    console.log(`${name}.png ${(bytes / 1024).toFixed(0)} KB`);
    if (bytes > most) process.exitCode = 1;
  };
  const go = (view) => at(`nav-${view}`).click();

  await at('open-demo').click();
  await at('next-step').waitFor();
  await at('taxonomy-create-tokens').click();
  await go('train');
  await page.getByText('One class', { exact: true }).click();
  await at('train-start').click();
  await at('train-result').waitFor();
  await take('train');

  await go('library');
  const rows = at('track-row');
  await rows.nth(3).click();
  await page.getByTestId('why-sum').first().waitFor();
  await take('library');

  await go('prototypes');
  await at('prototype-card').first().waitFor();
  await at('class-map').waitFor();
  await page.waitForTimeout(2500);
  await take('prototypes');

  await go('map');
  await page.waitForTimeout(6000);
  await take('map');

  await go('library');
  await rows.nth(3).click({ button: 'right' });
  await page.getByTestId('menu-similar').click();
  await at('similar-row').first().waitFor();
  await take('similar');

  await go('evaluate');
  await at('evaluation-name').fill('Demo sounds');
  for (const deformation of ['Gain', 'AddGaussianSNR'])
    await at(`evaluation-deformation-${deformation}`).check();
  await at('evaluation-run').click();
  await at('evaluation-grid').waitFor();
  await page.waitForFunction(() => {
    const [done, all] =
      document.querySelector('[data-testid=evaluation-cells]')?.textContent?.match(/\d+/g) ?? [];
    return all !== undefined && done === all;
  });
  await at('evaluation-grid').evaluate((grid) => grid.scrollIntoView({ block: 'center' }));
  await take('evaluate');

  await go('preferences');
  await at('caches').waitFor();
  await take('preferences');
} finally {
  await app.close();
  rmSync(userData, { recursive: true, force: true });
}
