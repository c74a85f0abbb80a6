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
 * import takes longer than most of them. `open-demo` opens it. Each test process imports once, by the application itself.
 */
export async function importedDemo(name: string): Promise<string> {
  const original = join(kept(), `demo-${process.env['TEST_PARALLEL_INDEX'] ?? '0'}`);
  if (!existsSync(original)) {
    const making = temporaryFolder('demo');
    const { app, page } = await launch(making);
    await page.getByTestId('open-demo').click();
    await expect(page.getByTestId('next-step')).toBeVisible({ timeout: 300_000 });
    await app.close();
    const ready = `${original}-making`;
    rmSync(ready, { recursive: true, force: true });
    mkdirSync(ready, { recursive: true });
    for (const part of parts) cpSync(join(making, part), join(ready, part), { recursive: true });
    renameSync(ready, original);
    rmSync(making, { recursive: true, force: true });
  }
  const userData = temporaryFolder(name);
  cpSync(original, userData, { recursive: true });
  return userData;
}
