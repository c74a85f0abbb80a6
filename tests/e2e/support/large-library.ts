import { build } from 'esbuild';
import type { Page } from '@playwright/test';
import { join } from 'node:path';
import { expect, repository } from './app.ts';

/** Puts an engine with a very large library in place of the real one, in the real window, and opens the library. */
export async function openLargeLibrary(page: Page): Promise<void> {
  const bundle = await build({
    entryPoints: [join(repository, 'tests/e2e/support/large-engine.ts')],
    bundle: true,
    write: false,
    format: 'iife',
    target: 'chrome130',
  });
  // The real engine has answered everything; whatever it said later would end the other one.
  await expect(page.getByText(/^runs on /)).toBeVisible();
  await page.evaluate(bundle.outputFiles[0]?.text ?? '');
  await page.getByTestId('recent-library').click();
  await expect(page.getByTestId('track-row').first()).toBeVisible();
}
