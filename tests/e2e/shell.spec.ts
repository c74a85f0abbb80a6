import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, repository, temporaryFolder, test } from './support/app.ts';
import { answerDialogs, enginePid } from './support/steps.ts';

test.describe('the window', () => {
  test('is isolated, without Node, under a strict policy', async ({ running: { page, app } }) => {
    expect(page.url()).toMatch(/^archetone:\/\/app\//);
    const globals = await page.evaluate(() => ({
      node: typeof (globalThis as Record<string, unknown>)['process'],
      require: typeof (globalThis as Record<string, unknown>)['require'],
      api: Object.keys((globalThis as unknown as { archetone: object }).archetone).sort(),
    }));
    expect(globals).toEqual({
      node: 'undefined',
      require: 'undefined',
      api: [
        'allowRecording',
        'chooseAudio',
        'chooseFile',
        'chooseFolder',
        'onMenuCommand',
        'onOpen',
        'pathOf',
        'platform',
        'reveal',
        'setMenu',
        'setTextSize',
        'setTheme',
        'startDrag',
        'versions',
      ],
    });
    const preferences = await app.evaluate(({ BrowserWindow }) => {
      const contents = BrowserWindow.getAllWindows()[0]?.webContents;
      // Electron gives no typed way to read them back.
      return (
        contents as unknown as { getLastWebPreferences(): Record<string, unknown> }
      ).getLastWebPreferences();
    });
    expect(preferences).toMatchObject({ sandbox: true, contextIsolation: true, nodeIntegration: false });

    const policy = await page.evaluate(async () =>
      (await fetch('archetone://app/index.html')).headers.get('content-security-policy'),
    );
    expect(policy).toContain("default-src 'none'");
    // Through a timer: what a test driver evaluates itself is exempt from the policy.
    const evalWorks = await page.evaluate(async () => {
      // oxlint-disable-next-line typescript/no-implied-eval -- the point of the test
      setTimeout('globalThis.evaluated = true', 0);
      await new Promise((resolve) => setTimeout(resolve, 100));
      return 'evaluated' in globalThis;
    });
    expect(evalWorks).toBe(false);
  });

  test('cannot reach files, the network, other windows or permissions', async ({
    running: { page, app },
  }) => {
    const reached = await page.evaluate(async () => {
      const tries = ['file:///etc/passwd', 'https://example.org/', 'archetone://app/../package.json'];
      const results = await Promise.all(
        tries.map((url) =>
          fetch(url).then(
            (response) => response.ok,
            () => false,
          ),
        ),
      );
      const opened = window.open('https://example.org/') !== null;
      const microphone = await navigator.mediaDevices.getUserMedia({ audio: true }).then(
        () => true,
        () => false,
      );
      return { results, opened, microphone };
    });
    expect(reached).toEqual({ results: [false, false, false], opened: false, microphone: false });
    expect(app.windows()).toHaveLength(1);
    await page.evaluate(() => (location.href = 'https://example.org/'));
    await page.waitForTimeout(300);
    expect(page.url()).toMatch(/^archetone:\/\/app\//);
  });

  test('is the only page whose messages main answers', async ({ running: { app } }) => {
    const answer = await app.evaluate(
      async ({ BrowserWindow }, preload) => {
        const stranger = new BrowserWindow({ show: false, webPreferences: { preload, sandbox: true } });
        await stranger.loadURL('archetone://decoder/index.html');
        const result = (await stranger.webContents.executeJavaScript(
          `archetone.setTheme('dark').then(() => 'answered', (error) => error.message)`,
        )) as string;
        stranger.destroy();
        return result;
      },
      join(repository, 'dist/electron/preload.cjs'),
    );
    expect(answer).toContain('Refused');
  });

  test('sends only what its channel allows', async ({ running: { page } }) => {
    const answer = await page.evaluate(() =>
      (globalThis as unknown as { archetone: { setTheme(theme: string): Promise<void> } }).archetone
        .setTheme('purple')
        .then(
          () => 'answered',
          (error: unknown) => (error instanceof Error ? error.message : String(error)),
        ),
    );
    expect(answer).not.toBe('answered');
  });

  test('gets 404 for audio tokens that were never given out', async ({ running: { page } }) => {
    const status = await page.evaluate(async () => (await fetch('archetone://audio/nonsense')).status);
    expect(status).toBe(404);
  });
});

test('the engine process is started again within two seconds when it dies', async ({ running }) => {
  await expect(running.page.getByTestId('open-demo')).toBeVisible();
  await expect.poll(() => enginePid(running)).not.toBeNull();
  const before = await enginePid(running);
  if (before === null) throw new Error('no engine process');
  process.kill(before, 'SIGKILL');
  const begin = Date.now();
  await expect
    .poll(
      async () => {
        const pid = await enginePid(running);
        return pid !== null && pid !== before;
      },
      { intervals: [50] },
    )
    .toBe(true);
  expect(Date.now() - begin).toBeLessThan(2000);
  // The window is served by the new process.
  await running.page.getByTestId('nav-packs').click();
  await expect(running.page.getByText('Archetone compact').first()).toBeVisible();
});

test('a second start hands its folder or file to the first and ends', async ({ running }) => {
  const dist = process.env['ELECTRON_OVERRIDE_DIST_PATH'] ?? '';
  const program = join(dist, 'electron');
  test.skip(process.platform !== 'linux' || !existsSync(program), 'needs the runtime of the tests');
  const startWith = (path: string): SpawnSyncReturns<string> =>
    spawnSync(program, ['--no-sandbox', repository, `--user-data-dir=${running.userData}`, path], {
      encoding: 'utf8',
      timeout: 30_000,
    });
  const second = startWith(join(repository, 'tests/fixtures/audio'));
  expect(second.status).toBe(0);
  expect(second.stderr).toContain('already running');
  expect(await running.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1);
  await expect(running.page.getByTestId('nav-library')).toBeVisible();
  await expect(running.page.getByText('audio', { exact: true }).first()).toBeVisible();

  // Files that belong to it: the same questions as by hand, and the same refusals.
  const folder = temporaryFolder('opened');
  writeFileSync(join(folder, 'model.safetensors'), 'not a model');
  writeFileSync(join(folder, 'library.archetone'), '{}');
  expect(startWith(join(folder, 'model.safetensors')).status).toBe(0);
  await expect(running.page.getByTestId('add-pack-problem')).toContainText('model.safetensors');
  await answerDialogs(running.app, join(repository, 'tests/fixtures/audio'));
  expect(startWith(join(folder, 'library.archetone')).status).toBe(0);
  await expect(
    running.page.getByText('is no library made for another computer', { exact: false }),
  ).toBeVisible();
  rmSync(folder, { recursive: true, force: true });
});
