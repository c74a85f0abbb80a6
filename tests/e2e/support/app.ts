import { test as base, _electron, expect } from '@playwright/test';
import type { ElectronApplication, Page } from '@playwright/test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const repository = resolve(import.meta.dirname, '../../..');

export interface RunningApp {
  app: ElectronApplication;
  page: Page;
  userData: string;
  /** Everything the processes wrote, for failure messages. */
  output: () => string;
}

/** Starts the built application on a user-data folder of its own. */
export async function launch(userData: string, args: string[] = []): Promise<RunningApp> {
  const app = await _electron.launch({
    args: [repository, `--user-data-dir=${userData}`, ...args],
    cwd: repository,
    timeout: 60_000,
  });
  const lines: string[] = [];
  app.process().stdout?.on('data', (data: Buffer) => lines.push(data.toString()));
  app.process().stderr?.on('data', (data: Buffer) => lines.push(data.toString()));
  const page = await app.firstWindow();
  await page.waitForLoadState('domcontentloaded');
  return { app, page, userData, output: () => lines.join('') };
}

export function temporaryFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `archetone-${name}-`));
}

/** A test with a freshly started application, closed and cleaned up afterwards. */
export const test = base.extend<{ running: RunningApp }>({
  running: async ({}, use, info) => {
    const userData = temporaryFolder('e2e');
    const running = await launch(userData);
    await use(running);
    if (info.status !== info.expectedStatus) console.log(running.output());
    await running.app.close();
    rmSync(userData, { recursive: true, force: true });
  },
});

export { expect };
