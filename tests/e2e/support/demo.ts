import { cpSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, launch, temporaryFolder } from './app.ts';

/** Set by the run's set-up (`runtime.ts`), which also removes it. */
const kept = (): string => {
  const folder = process.env['ARCHETONE_E2E_KEPT'];
  if (!folder) throw new Error('The run has no folder for what its specs share.');
  return folder;
};

/** What the application keeps of a library and its jobs; not which one was open, nor how the window looked. */
const parts = ['libraries', 'jobs.db'];

/**
 * A user-data folder in which the demo library is imported already, for specs that are about what comes after: the
 * import takes longer than most of them. `open-demo` opens it. The first that asks imports, by the application itself;
 * the other test processes wait for it.
 */
export async function importedDemo(name: string): Promise<string> {
  const original = join(kept(), 'demo');
  const making = `${original}-making`;
  while (!existsSync(original)) {
    if (mkdirSync(making, { recursive: true }) === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      continue;
    }
    try {
      await importInto(making);
      renameSync(making, original);
    } finally {
      rmSync(making, { recursive: true, force: true });
    }
  }
  const userData = temporaryFolder(name);
  cpSync(original, userData, { recursive: true });
  return userData;
}

async function importInto(folder: string): Promise<void> {
  const userData = temporaryFolder('demo');
  const { app, page } = await launch(userData);
  try {
    await page.getByTestId('open-demo').click();
    await expect(page.getByTestId('next-step')).toBeVisible({ timeout: 300_000 });
  } finally {
    await app.close();
  }
  for (const part of parts) cpSync(join(userData, part), join(folder, part), { recursive: true });
  rmSync(userData, { recursive: true, force: true });
}
