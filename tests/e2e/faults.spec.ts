import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  cpSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { encodeWav } from '../../models/audio/index.ts';
import { expect, launch, repository, temporaryFolder, test } from './support/app.ts';
import type { RunningApp } from './support/app.ts';
import {
  answerDialogs,
  chooseFolder,
  enginePid,
  go,
  jobState,
  openLibrary,
  pidOf,
  readyTracks,
  rowOf,
  screenshots,
} from './support/steps.ts';

const fixtures = join(repository, 'tests/fixtures/audio');
const samples = join(repository, 'node_modules/supersonic-scsynth-samples/samples');

/** A second of a tone. */
function tone(hertz: number): Uint8Array {
  const rate = 24_000;
  const sound = Float32Array.from(
    { length: rate },
    (_, i) => 0.3 * Math.sin((2 * Math.PI * hertz * i) / rate),
  );
  return encodeWav(sound, rate, 'pcm16');
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

function hashes(folder: string, names: string[]): string[] {
  return names.map((name) =>
    createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex'),
  );
}

test.describe('folders and files that are wrong', () => {
  test.describe.configure({ mode: 'serial' });
  let running: RunningApp;
  let userData: string;
  let music: string;

  test.beforeAll(async () => {
    userData = temporaryFolder('faults');
    music = temporaryFolder('faults-music');
    running = await launch(userData);
  });

  test.afterAll(async () => {
    await running.app.close();
    for (const folder of [userData, music]) rmSync(folder, { recursive: true, force: true });
  });

  test('a folder that does not exist is named, with what to do', async () => {
    const { page } = running;
    const missing = join(music, 'not-there');
    await chooseFolder(running, missing);
    const toast = page.locator('[data-testid=toast][data-tone=error]');
    await expect(toast).toContainText(`There is no folder ${missing}`);
    await expect(toast).toContainText('Check the name');
    await toast.getByRole('button', { name: 'Dismiss' }).click();
    await expect(page.getByTestId('open-folder')).toBeVisible();
    await expect(page.getByTestId('recent-library')).toHaveCount(0);
  });

  test('a file instead of a folder is told apart', async () => {
    const { page } = running;
    const file = join(fixtures, 'mono-8.wav');
    await chooseFolder(running, file);
    const toast = page.locator('[data-testid=toast][data-tone=error]');
    await expect(toast).toContainText('is a file, not a folder');
    await toast.getByRole('button', { name: 'Dismiss' }).click();
  });

  test('an empty folder says so, and which files would do', async () => {
    const { page } = running;
    const empty = join(music, 'empty');
    mkdirSync(empty);
    await openLibrary(running, empty);
    await expect(page.getByText('No audio files here')).toBeVisible();
    const toast = page.locator('[data-testid=toast][data-tone=error]');
    await expect(toast).toContainText(`There are no audio files in ${empty}`);
    await toast.getByRole('button', { name: 'Dismiss' }).click();
  });

  test('broken files are listed with their reason and the others are imported', async () => {
    const { page } = running;
    const folder = join(music, 'mixed');
    mkdirSync(folder);
    const good = ['a.wav', 'b.wav', 'c.wav'];
    good.forEach((name, i) => writeFileSync(join(folder, name), tone(220 * (i + 1))));
    const flac = readFileSync(join(fixtures, 'stereo.flac'));
    // Half a song is still music: what is left of it counts.
    writeFileSync(join(folder, 'half.flac'), flac.subarray(0, flac.length >> 1));
    good.push('half.flac');
    const mp3 = readFileSync(join(fixtures, 'stereo-cbr.mp3'));
    const broken: Record<string, { content: Uint8Array; reason: RegExp }> = {
      'text.mp3': { content: Buffer.from('Only a text.\n'.repeat(200)), reason: /No audio was recognised/ },
      'zero.wav': { content: new Uint8Array(0), reason: /empty \(0 bytes\)/ },
      'cut.flac': { content: flac.subarray(0, 60), reason: /No audio could be decoded/ },
      'cut.mp3': { content: mp3.subarray(0, 300), reason: /No audio (was recognised|could be decoded)/ },
    };
    for (const [name, { content }] of Object.entries(broken)) writeFileSync(join(folder, name), content);
    const before = hashes(folder, readdirSync(folder));
    symlinkSync(join(folder, 'gone'), join(folder, 'link.wav'));

    await openLibrary(running, folder);
    expect(await jobState(page, 'import', 60_000)).toBe('done');
    await go(page, 'library');
    await expect(page.getByTestId('filter-ready')).toContainText(String(good.length));
    await expect(page.getByTestId('filter-failed')).toContainText(String(Object.keys(broken).length + 1));
    for (const name of good) {
      await expect(await rowOf(page, name)).toHaveAttribute('data-state', 'ready');
    }
    for (const [name, { reason }] of [
      ...Object.entries(broken),
      ['link.wav', { reason: /leads nowhere/ }] as const,
    ]) {
      const row = await rowOf(page, name);
      await expect(row).toHaveAttribute('data-state', 'failed');
      await expect(row.locator('.problem')).toHaveText(reason, { timeout: 3000 });
    }
    rmSync(join(folder, 'link.wav'));
    expect(hashes(folder, readdirSync(folder))).toEqual(before);
  });

  test('a file without permission is listed as unreadable', async () => {
    const { page } = running;
    const folder = join(music, 'locked');
    mkdirSync(folder);
    writeFileSync(join(folder, 'open.wav'), tone(330));
    writeFileSync(join(folder, 'locked.wav'), tone(440));
    chmodSync(join(folder, 'locked.wav'), 0);
    test.skip(
      isReadable(join(folder, 'locked.wav')),
      'this user (root, or one of Windows) may read every file',
    );
    await openLibrary(running, folder);
    expect(await jobState(page, 'import', 60_000)).toBe('done');
    await go(page, 'library');
    await expect(await rowOf(page, 'open.wav')).toHaveAttribute('data-state', 'ready');
    const locked = await rowOf(page, 'locked.wav');
    await expect(locked).toHaveAttribute('data-state', 'failed');
    await expect(locked.locator('.problem')).toContainText('No permission to read');
  });
});

test.describe('interruptions', () => {
  test.describe.configure({ mode: 'serial' });
  let running: RunningApp;
  let userData: string;
  const total = readdirSync(samples).length;

  test.beforeAll(async () => {
    userData = temporaryFolder('interrupted');
    running = await launch(userData);
  });

  test.afterAll(async () => {
    await running.app.close();
    rmSync(userData, { recursive: true, force: true });
  });

  /** Looked at often: the tests take turns on one import, which goes through some fifty files a second. */
  const importedMoreThan = (page: Page, count: number): Promise<void> =>
    expect.poll(() => readyTracks(page), { timeout: 60_000, intervals: [40] }).toBeGreaterThan(count);

  test('an import rests while it is paused', async () => {
    const { page } = running;
    await page.getByTestId('open-demo').click();
    const progress = page.getByTestId('import-progress');
    await importedMoreThan(page, 4);
    await progress.getByRole('button', { name: 'Pause' }).click();
    await expect(progress).toContainText('Import paused');
    // What was under way when it was paused may still be stored.
    await page.waitForTimeout(1500);
    const resting = await readyTracks(page);
    await page.waitForTimeout(1500);
    expect(await readyTracks(page)).toBe(resting);
    expect(resting).toBeLessThan(total);
    await progress.getByRole('button', { name: 'Resume' }).click();
    await importedMoreThan(page, resting);
  });

  test('an import goes on by itself when the engine is killed', async () => {
    const { page } = running;
    const before = await readyTracks(page);
    expect(before).toBeLessThan(total);
    const pid = await enginePid(running);
    if (pid === null) throw new Error('no engine process');
    process.kill(pid, 'SIGKILL');
    await expect(page.getByTestId('engine-banner')).toBeVisible();
    await expect(page.getByText('The engine is running again.')).toBeVisible();
    await expect(page.getByTestId('engine-banner')).toHaveCount(0);
    await expect(page.getByTestId('import-progress')).toBeVisible();
    await importedMoreThan(page, before);
  });

  test('an import goes on in the same engine when the embedder is killed', async () => {
    const { page } = running;
    const before = await readyTracks(page);
    const engine = await enginePid(running);
    const embedderOf = (): Promise<number | null> => pidOf(running, 'Archetone embedder');
    await expect.poll(embedderOf, { timeout: 30_000 }).not.toBeNull();
    const embedder = await embedderOf();
    if (embedder === null) throw new Error('no embedder process');
    // Not SIGKILL, which is how the watch on memory ends it.
    process.kill(embedder, 'SIGSEGV');
    await importedMoreThan(page, before);
    expect(await enginePid(running)).toBe(engine);
    expect(await embedderOf()).not.toBe(embedder);
  });

  test('an engine that dies three times within a minute starts without the import, which the person resumes', async () => {
    const { page } = running;
    const told = page.getByText('The engine ended three times within a minute.');
    // Each time it has stored something first: without that the import itself would be to blame.
    for (let death = 0; death < 6 && (await told.count()) === 0; death++) {
      const before = await readyTracks(page);
      const goesOn = async (): Promise<boolean> => (await readyTracks(page)) > before;
      const isTold = async (): Promise<boolean> => (await told.count()) > 0;
      // The window may tell of the third death a moment after the engine is back.
      await expect
        .poll(async () => (await isTold()) || (await goesOn()), { timeout: 60_000, intervals: [40] })
        .toBe(true);
      if (await isTold()) break;
      const pid = await enginePid(running);
      if (pid === null) throw new Error('no engine process');
      process.kill(pid, 'SIGKILL');
      await expect.poll(() => enginePid(running), { timeout: 30_000 }).not.toBe(pid);
      await expect(page.getByTestId('engine-banner')).toHaveCount(0, { timeout: 30_000 });
    }
    await expect(told).toBeVisible();
    await expect(page.getByTestId('import-progress')).toContainText('Import paused');
    const resting = await readyTracks(page);
    await page.getByRole('button', { name: /^Resume “Import/ }).click();
    await importedMoreThan(page, resting);
  });

  test('a cancelled import keeps what it finished; a rescan does only the rest', async () => {
    const { page } = running;
    await page.getByTestId('import-progress').getByRole('button', { name: 'Cancel' }).click();
    expect(await jobState(page, 'import', 10_000)).toBe('cancelled');
    await go(page, 'library');
    await page.waitForTimeout(1000);
    const kept = await readyTracks(page);
    expect(kept).toBeGreaterThan(4);
    expect(kept).toBeLessThan(total);
    await page.getByTestId('rescan').click();
    await expect(page.getByTestId('import-progress')).toBeVisible();
    expect(await jobState(page, 'import', 150_000)).toBe('done');
    const result = page.locator('[data-testid=job-row][data-kind=import]').first().locator('.result');
    await expect(result).toContainText(`${String(total - kept)} files imported · ${String(kept)} unchanged`);
    await go(page, 'library');
    await expect(page.getByTestId('track-count')).toHaveText(`${String(total)} tracks`);
    // The chip is there only while tracks differ in their state.
    await expect(page.getByTestId('filter-pending')).toHaveCount(0);
    await expect(page.getByTestId('filter-failed')).toHaveCount(0);
  });

  test('a cancelled training leaves nothing half done, and the next one works', async () => {
    const { page } = running;
    await page.getByTestId('taxonomy-create-tokens').click();
    await expect(page.getByTestId('taxonomy')).toBeVisible();
    await go(page, 'train');
    await page.getByTestId('train-more').click();
    await page.getByTestId('train-steps').fill('20000');
    await page.getByTestId('train-steps').press('Enter');
    await page.getByTestId('train-start').click();
    await page.getByTestId('train-cancel').click();
    await expect(page.getByTestId('train-start')).toBeVisible();
    expect(await jobState(page, 'train', 10_000)).toBe('cancelled');
    await go(page, 'train');
    await expect(page.getByTestId('experiment-row')).toHaveCount(0);
    await page.getByTestId('train-steps').fill('100');
    await page.getByTestId('train-steps').press('Enter');
    await page.getByTestId('train-start').click();
    await expect(page.getByTestId('experiment-row')).toHaveCount(1, { timeout: 60_000 });
    await expect(page.getByTestId('train-score')).toBeVisible();
    expect(await jobState(page, 'train', 10_000)).toBe('done');
    // Training has predicted the library.
    await expect(page.locator('[data-testid=job-row][data-kind=classify]')).toHaveCount(0);
  });

  test('a cancelled sonification leaves the window usable', async () => {
    const { page } = running;
    await go(page, 'prototypes');
    // Those of the first seed may have been made in the background.
    await page.getByTestId('sonify-background').uncheck();
    await page.getByTestId('sonify-seed').fill('7');
    await page.getByTestId('sonify-seed').press('Enter');
    await page.getByTestId('sonify-all').click();
    await page.getByTestId('sonify-cancel').click();
    await expect(page.getByTestId('sonify-all')).toBeEnabled();
    expect(await jobState(page, 'sonify', 20_000)).toBe('cancelled');
    const jobs = await page.locator('[data-testid=job-row][data-kind=sonify]').count();
    // Cancelling is what was asked for: no error.
    await expect(page.locator('[data-testid=toast][data-tone=error]')).toHaveCount(0);
    await go(page, 'prototypes');
    await page.getByTestId('prototype-card').first().getByTestId('prototype-a').click();
    expect(await jobState(page, 'sonify', 60_000, jobs + 1)).toBe('done');
  });
});

test('a damaged library is listed with the date of its newest backup, which brings it back', async () => {
  const userData = temporaryFolder('damaged');
  const music = temporaryFolder('damaged-music');
  let running: RunningApp | null = null;
  try {
    for (const [i, name] of ['a.wav', 'b.wav'].entries())
      writeFileSync(join(music, name), tone(220 * (i + 1)));
    running = await launch(userData);
    await openLibrary(running, music);
    expect(await jobState(running.page, 'import', 60_000)).toBe('done');
    await go(running.page, 'welcome');
    await running.page.getByTestId('backup-library').click();
    await expect(running.page.getByTestId('toast')).toContainText('is backed up');
    await screenshots(running.page, 'library-copies');
    await running.app.close();

    const database = readdirSync(userData, { recursive: true, encoding: 'utf8' }).find((path) =>
      /libraries[\\/][^\\/]+[\\/]library\.db$/u.test(path),
    );
    if (database === undefined) throw new Error('no database of the library');
    writeFileSync(join(userData, database), Buffer.alloc(64_000, 'x'));
    running = await launch(userData);
    const { page } = running;
    const damaged = page.getByTestId('damaged-library');
    await expect(damaged.getByRole('alert')).toBeVisible();
    await expect(page.getByTestId('backup-library')).toHaveCount(0);
    // Told once, in its place: no message covers it.
    await expect(page.getByTestId('toast')).toHaveCount(0);
    await expect(page.getByTestId('recent-library')).not.toContainText('0 tracks');
    const restore = damaged.getByTestId('restore-library');
    await expect(restore).toHaveText(/Restore the backup of today \d\d:\d\d/u);
    await screenshots(page, 'damaged-library');
    await restore.click();
    await expect(damaged).toHaveCount(0);
    await page.getByTestId('recent-library').click();
    await expect.poll(() => readyTracks(page)).toBe(2);
    await expect(page.getByTestId('import-progress')).toHaveCount(0);
  } finally {
    await running?.app.close();
    for (const folder of [userData, music]) rmSync(folder, { recursive: true, force: true });
  }
});

test('the File menu backs a library up, puts it back and moves it to another computer', async ({
  running,
}) => {
  const music = temporaryFolder('menu-music');
  const carried = temporaryFolder('menu-carried');
  const there = temporaryFolder('menu-there');
  const choose = (label: string): Promise<void> =>
    running.app.evaluate(({ Menu }, wanted) => {
      const file = Menu.getApplicationMenu()?.items.find((item) => item.label === 'File');
      const item = file?.submenu?.items.find((each) => each.label === wanted);
      if (!item) throw new Error(`no ${wanted} in the File menu`);
      (item.click as () => void)();
    }, label);
  const { page } = running;
  const toast = (text: string) => page.getByTestId('toast').filter({ hasText: text });
  try {
    for (const folder of [music, there])
      for (const name of ['a.wav', 'b.wav']) writeFileSync(join(folder, name), tone(330));
    await openLibrary(running, music);
    expect(await jobState(page, 'import', 60_000)).toBe('done');
    await go(page, 'library');
    await choose('Back up library');
    await expect(toast('is backed up')).toBeVisible();
    await choose('Restore a backup…');
    await screenshots(page, 'restore-dialog');
    await page.getByTestId('restore-backup').first().click();
    await expect(toast('is as it was')).toBeVisible();
    await expect.poll(() => readyTracks(page)).toBe(2);
    await expect(page.getByTestId('track-search')).toBeVisible();

    await answerDialogs(running.app, carried);
    await choose('Move library to another computer…');
    await expect(toast('is ready for another computer')).toBeVisible();
    expect(await jobState(page, 'bundle-library', 60_000)).toBe('done');
    const [bundle = ''] = readdirSync(carried);
    expect(readdirSync(join(carried, bundle)).sort()).toEqual([
      'cache.db',
      'library.archetone',
      'library.db',
    ]);

    await answerDialogs(running.app, join(carried, bundle), there);
    await choose('Take in a library of another computer…');
    // It opens by itself.
    await expect(page.getByTestId('track-search')).toBeVisible({ timeout: 60_000 });
    expect(await jobState(page, 'take-in-library', 60_000)).toBe('done');
    await go(page, 'welcome');
    await expect(page.getByTestId('recent-library')).toHaveCount(2);
  } finally {
    for (const folder of [music, carried, there]) rmSync(folder, { recursive: true, force: true });
  }
});

/** Puts a file system of 48 MB in the place of a folder; skips the test where that is not allowed. */
function onSmallDisk(folder: string): void {
  const mounted =
    process.platform === 'linux' &&
    spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', folder]).status === 0;
  test.skip(!mounted, 'needs the right to mount a small file system');
}

test('a library is removed while the disk is full, and everything goes on', async () => {
  const userData = temporaryFolder('full-remove');
  const music = temporaryFolder('full-remove-music');
  onSmallDisk(userData);
  let running: RunningApp | null = null;
  try {
    for (const name of ['a.wav', 'b.wav']) writeFileSync(join(music, name), tone(330));
    running = await launch(userData);
    const { page } = running;
    await openLibrary(running, music);
    expect(await jobState(page, 'import', 60_000)).toBe('done');
    fill(join(userData, 'filler'));
    await go(page, 'welcome');
    await page.getByLabel('Forget this library').click();
    await page.getByTestId('confirm').click();
    await expect(page.getByTestId('recent-library')).toHaveCount(0);
    const left = readdirSync(userData, { recursive: true, encoding: 'utf8' });
    expect(left.filter((path) => path.endsWith('library.db'))).toEqual([]);
    expect(readdirSync(music)).toEqual(['a.wav', 'b.wav']);
    rmSync(join(userData, 'filler'));
    await openLibrary(running, music);
    expect(await jobState(page, 'import', 60_000)).toBe('done');
  } finally {
    if (running) await running.app.close();
    execFileSync('umount', [userData]);
    for (const folder of [userData, music]) rmSync(folder, { recursive: true, force: true });
  }
});

test('a full disk is named, nothing is lost, and the import goes on when there is room', async () => {
  const userData = temporaryFolder('full-disk');
  const music = temporaryFolder('full-disk-music');
  onSmallDisk(userData);
  let running: RunningApp | null = null;
  try {
    const names = readdirSync(samples).slice(0, 60);
    for (const name of names) cpSync(join(samples, name), join(music, name));
    const before = hashes(music, names);
    running = await launch(userData);
    let { page } = running;
    await openLibrary(running, music);
    await expect.poll(() => readyTracks(page), { timeout: 30_000 }).toBeGreaterThan(2);
    fill(join(userData, 'filler'));

    expect(await jobState(page, 'import', 60_000)).toBe('failed');
    const row = page.locator('[data-testid=job-row][data-kind=import]').first();
    const isFull = new RegExp(`The disk that holds ${userData}.* is full`);
    await expect(row).toContainText(isFull);
    await expect(row).toContainText('Free some space and start again: everything finished so far is kept.');
    await expect(page.locator('[data-testid=toast][data-tone=error]').first()).toContainText(isFull);
    await go(page, 'library');
    await page.waitForTimeout(1000);
    const kept = await readyTracks(page);
    expect(kept).toBeGreaterThan(2);
    expect(kept).toBeLessThan(names.length);

    // Everything can still be looked at, also after a start; what cannot be kept says why.
    await running.app.close();
    // Whatever the closing set free.
    fill(join(userData, 'filler-2'));
    running = await launch(userData);
    page = running.page;
    await expect(page.getByTestId('toast').first()).toContainText('full');
    if ((await page.getByTestId('track-search').count()) === 0) {
      await go(page, 'welcome');
      await page.getByTestId('recent-library').click();
    }
    await expect.poll(() => readyTracks(page)).toBe(kept);
    await page.getByTestId('rescan').click();
    await expect(page.locator('[data-testid=toast][data-tone=error]').first()).toContainText('full');
    for (const name of ['filler', 'filler-2']) rmSync(join(userData, name), { force: true });
    await page.getByTestId('rescan').click();
    await expect(page.getByTestId('import-progress')).toBeVisible();
    expect(await jobState(page, 'import', 100_000)).toBe('done');
    await expect(page.locator('[data-testid=job-row][data-kind=import]').first()).toContainText(
      `${String(kept)} unchanged`,
    );
    await go(page, 'library');
    await expect(page.getByTestId('track-count')).toHaveText(`${String(names.length)} tracks`);
    await expect(page.getByTestId('filter-failed')).toHaveCount(0);
    expect(hashes(music, names)).toEqual(before);
  } finally {
    if (running) await running.app.close();
    execFileSync('umount', [userData]);
    for (const folder of [userData, music]) rmSync(folder, { recursive: true, force: true });
  }
});

/** Writes until the file system has no room left. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (let bytes = 1 << 20; bytes >= 512;) {
      try {
        writeSync(file, Buffer.alloc(bytes, 1));
      } catch (thrown) {
        if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOSPC')) throw thrown;
        bytes >>= 1;
      }
    }
  } finally {
    closeSync(file);
  }
}
