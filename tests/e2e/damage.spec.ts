import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { createEngine } from '../../engine/engine.ts';
import { encodeWav } from '../../models/audio/index.ts';
import { damages, filesOf, type Damage } from '../support/damage.ts';
import { expect, launch, repository, temporaryFolder, test } from './support/app.ts';
import type { RunningApp } from './support/app.ts';
import { go, readyTracks, screenshots } from './support/steps.ts';

/** Makes a library of one sound and its backup for each name, without a window. @returns ids by name */
async function makeLibraries(
  dataFolder: string,
  music: string,
  names: string[],
): Promise<Map<string, string>> {
  const worker = (name: string): string => join(repository, 'dist/node', `${name}-worker.js`);
  const engine = await createEngine({
    dataFolder,
    packFolders: [join(repository, 'models/packs')],
    ...{ decodeWorker: worker('decode'), datasetWorker: worker('dataset'), labelWorker: worker('label') },
    ...{ demoFolder: null, labelledDemoFolder: null, version: '0.0.0-test', threads: 1 },
  });
  const client = engine.client();
  const ids = new Map<string, string>();
  try {
    const tone = Float32Array.from({ length: 12_000 }, (_, n) => 0.3 * Math.sin(n / 12));
    for (const name of names) {
      const folder = join(music, name);
      mkdirSync(folder);
      writeFileSync(join(folder, 'a.wav'), encodeWav(tone, 24_000, 'pcm16'));
      const { id } = await client.call('libraries.open', { folder });
      const { jobId } = await client.call('import.start', { libraryId: id });
      await expect
        .poll(async () => (await client.call('jobs.get', { jobId })).state, { intervals: [20] })
        .toBe('done');
      await client.call('libraries.backUp', { libraryId: id });
      ids.set(name, id);
    }
  } finally {
    await engine.close();
  }
  return ids;
}

const listed = (page: Page, name: string) =>
  page.locator(`li:has([data-testid=recent-library] .name:has-text("${name}"))`);
const damaged = (page: Page, name: string) =>
  page.locator(
    `li:has([data-testid=recent-library] .name:has-text("${name}")) + li [data-testid=damaged-library]`,
  );

/** Lists what is wrong, and its newest backup brings the library back. */
async function restores(page: Page, { name, says }: Damage): Promise<void> {
  const problem = damaged(page, name).getByRole('alert');
  await expect(problem).toHaveText(says);
  await expect(problem).toHaveText(/Restore its backup of \d{4}-\d\d-\d\d/u);
  await damaged(page, name)
    .getByRole('button', { name: /^Restore the backup of today \d\d:\d\d$/u })
    .click();
  await expect(damaged(page, name)).toHaveCount(0);
  await expect(listed(page, name)).toContainText('1 track');
}

/** Opens as if nothing were, or says what is made anew, which a rescan does. */
async function opens(page: Page, { name, then, says }: Damage, id: string): Promise<void> {
  await expect(damaged(page, name)).toHaveCount(0);
  await listed(page, name).getByTestId('recent-library').click();
  await expect(page.getByTestId('track-search')).toBeVisible();
  const told = page.getByTestId('toast').filter({ hasText: id });
  if (says.test('')) await expect(told).toHaveCount(0);
  else await expect(told.filter({ hasText: says }).first()).toBeVisible();
  if (then === 'cache') await page.getByTestId('rescan').click();
  await expect.poll(() => readyTracks(page)).toBe(1);
  await go(page, 'welcome');
}

test('22 kinds of damage are each told in their own words, and each has a way back', async () => {
  const userData = temporaryFolder('damages');
  const music = temporaryFolder('damages-music');
  let running: RunningApp | null = null;
  const seen = new Set<string>();
  // Those of the list of jobs are met one at a time: there is one list.
  const ofJobs = damages.filter(({ name }) => name.startsWith('jobs.db'));
  const ofLibraries = damages.filter((damage) => !ofJobs.includes(damage));
  try {
    const ids = await makeLibraries(
      userData,
      music,
      ofLibraries.map(({ name }) => name),
    );
    for (const [start, ofList] of ofJobs.entries()) {
      // Of each kind some at every start: more warnings than these at once would not fit the window.
      const some = ofLibraries.filter((_, i) => i % ofJobs.length === start);
      await running?.app.close();
      for (const { name, damage } of [ofList, ...some]) damage(filesOf(userData, ids.get(name) ?? ''));
      running = await launch(userData);
      const { page } = running;
      // What was looked at last opens by itself.
      if (start > 0) await expect(page.getByTestId('track-search')).toBeVisible();
      await go(page, 'welcome');
      await expect(page.getByTestId('recent-library')).toHaveCount(ofLibraries.length);
      const told = page.getByTestId('toast').filter({ hasText: 'list of jobs' });
      if (ofList.says.test('')) await expect(told).toHaveCount(0);
      else await expect(told).toHaveText(ofList.says);
      await screenshots(page, `damaged-libraries-${String(start + 1)}`);
      seen.add(ofList.name);
      for (const damage of some.filter(({ then }) => then !== 'restores')) {
        await opens(page, damage, ids.get(damage.name) ?? '');
        seen.add(damage.name);
      }
      for (const damage of some.filter(({ then }) => then === 'restores')) {
        await restores(page, damage);
        seen.add(damage.name);
      }
      await expect(page.getByTestId('damaged-library')).toHaveCount(0);
    }
    expect(seen.size).toBe(22);
  } finally {
    await running?.app.close();
    for (const folder of [userData, music]) rmSync(folder, { recursive: true, force: true });
  }
});
