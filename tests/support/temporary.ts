import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterFile } from './after-file.ts';

/** A fresh folder that is removed when the test file ends. Call inside a test, a hook or a describe block's hook. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'archetone-test-'));
  afterFile(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
