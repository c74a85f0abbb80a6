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
  /** Errors in the window's console, and Svelte's warnings, which it gives where the window was built for development. */
  complaints: string[];
}

const open = new Set<RunningApp>();

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
  const complaints: string[] = [];
  page.on('console', (message) => {
    const ofSvelte = message.type() === 'warning' && /\[svelte\]|svelte\.dev\/e\//.test(message.text());
    if (message.type() === 'error' || ofSvelte) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.stack ?? error.message));
  await page.waitForLoadState('domcontentloaded');
  const running = { app, page, userData, output: () => lines.join(''), complaints };
  open.add(running);
  app.on('close', () => open.delete(running));
  return running;
}

export function temporaryFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `archetone-${name}-`));
}

/** Prints what a failed test's applications show and wrote: a picture is of little use where nobody can look at it. */
async function printApplications(): Promise<void> {
  for (const { page, output, complaints } of open) {
    const shown = await page
      .evaluate(() => document.body.innerText)
      .catch((thrown: unknown) => `no text: ${String(thrown)}`);
    console.log(
      `The window shows:\n${shown}\n\nIts console:\n${complaints.join('\n')}\n\nThe processes wrote:\n${output()}`,
    );
  }
}

interface Fixtures {
  /** A freshly started application, closed and cleaned up afterwards. */
  running: RunningApp;
  tellOnFailure: undefined;
}

export const test = base.extend<Fixtures>({
  running: async ({}, use, info) => {
    const userData = temporaryFolder('e2e');
    const running = await launch(userData);
    await use(running);
    if (info.status !== info.expectedStatus) await printApplications();
    await running.app.close();
    rmSync(userData, { recursive: true, force: true });
  },
  // For applications that several tests share; it ends after `running`, whose application is closed by then.
  tellOnFailure: [
    async ({}, use, info) => {
      await use(undefined);
      if (info.status !== info.expectedStatus) await printApplications();
    },
    { auto: true },
  ],
});

export { expect };
