/**
 * Every view at the widths people have, in light and dark, with 200 classes: for people to look at. It runs where
 * `ARCHETONE_SCREENS` is set, and writes test-results/screens/views; what a picture would show that nobody looks at, it measures.
 */
import type { Page } from '@playwright/test';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { footViewIds, viewIds } from '../../renderer/src/shell/command-list.ts';
import { expect, repository, test } from './support/app.ts';
import { openLargeLibrary } from './support/large-library.ts';
import { go, windowSizes } from './support/steps.ts';

const folder = join(repository, 'test-results', 'screens', 'views');

/** What stands out of the window, and words of controls that are cut off without a sign. */
function cutOff(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const told = (part: HTMLElement): string =>
      `${part.tagName.toLowerCase()}.${part.className} “${part.innerText.slice(0, 40)}”`;
    const found: string[] = [];
    if (document.documentElement.scrollWidth > innerWidth) found.push('the page scrolls sideways');
    for (const part of document.querySelectorAll<HTMLElement>(
      'main button, main h1, main h2, main label, main th',
    )) {
      const box = part.getBoundingClientRect();
      if (box.width <= 1 || box.height <= 1) continue;
      const style = getComputedStyle(part);
      if (
        part.scrollWidth > part.clientWidth + 1 &&
        style.textOverflow !== 'ellipsis' &&
        style.display !== 'inline'
      )
        found.push(`cut off: ${told(part)}`);
      const around = part.closest('.view, .content')?.getBoundingClientRect();
      const scrolls = part.closest('.scroll, .body, [data-scrolls], .rows, table') !== null;
      if (around && !scrolls && box.left >= 0 && box.right > around.right + 1)
        found.push(`out of the view: ${told(part)}`);
    }
    return [...new Set(found)];
  });
}

interface Panel {
  view: string;
  open: string;
  close?: string;
}

/** What opens inside of a view, by the buttons for it. */
const panels: Record<string, Panel> = {
  melody: { view: 'prototypes', open: 'melody-open', close: 'melody-close' },
  'learn-from-playlists': { view: 'similar', open: 'learn-from-playlists', close: 'learn-close' },
  'covers-and-words': { view: 'similar', open: 'open-covers-and-words', close: 'modality-close' },
  'train-more': { view: 'train', open: 'train-more' },
  helpers: { view: 'preferences', open: 'helpers-server' },
};

async function inBoth(page: Page, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.waitForTimeout(150);
    await page.screenshot({ path: join(folder, `${name}-${colorScheme}.png`) });
  }
}

test('every view in light and dark, narrow and wide, and at 200 % zoom', async ({ running: { page } }) => {
  test.skip(!process.env['ARCHETONE_SCREENS'], 'pictures are made where ARCHETONE_SCREENS is set');
  test.setTimeout(900_000);
  mkdirSync(folder, { recursive: true });
  await openLargeLibrary(page);
  await page.getByTestId('track-row').first().click();
  await page
    .getByTestId('track-row')
    .nth(1)
    .click({ modifiers: ['Shift'] });
  await page.getByTestId('selection-similar').click();
  await expect(page.getByTestId('similar-row').first()).toBeVisible();
  // The files of this library are not there: that is told once, and would lie over every picture.
  const told = page.getByTestId('toast');
  await expect(told).toHaveCount(1);
  await expect(told).toContainText('“Track 0” cannot be played: the file could not be opened.');
  await told.getByRole('button', { name: 'Dismiss' }).click();
  const faults: string[] = [];
  for (const [name, size] of Object.entries(windowSizes)) {
    await page.setViewportSize(size);
    for (const view of [...viewIds, ...footViewIds, 'tray'] as const) {
      if (view === 'tray') await page.keyboard.press('t');
      else await go(page, view);
      await page.waitForTimeout(view === 'map' ? 2500 : 500);
      await inBoth(page, `${view}-${name}`);
      for (const fault of await cutOff(page)) faults.push(`${view} at ${name}: ${fault}`);
      if (view === 'tray') await page.getByTestId('tray-close').click();
    }
    for (const [panel, { view, open, close }] of Object.entries(panels)) {
      await go(page, view);
      await page.getByTestId(open).click();
      await page.waitForTimeout(500);
      await inBoth(page, `${panel}-${name}`);
      for (const fault of await cutOff(page)) faults.push(`${panel} at ${name}: ${fault}`);
      await page.getByTestId(close ?? open).click();
    }
  }
  console.log(`to be looked at:\n${faults.join('\n')}`);
  expect(faults.filter((fault) => fault.endsWith('scrolls sideways'))).toEqual([]);
  // All that the views asked for was answered.
  await expect(page.getByText(/^no answer for/)).toHaveCount(0);
});
