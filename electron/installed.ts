import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { EngineError } from '../engine/api/errors.ts';

const hashesSchema = z.record(z.string(), z.string());

/**
 * Threads start from files, and those lie outside the archive whose integrity Electron checks. Their hashes lie inside it
 * (`dist/electron/installed.json`, written by the build).
 * @throws EngineError `internal` when one is not as it was installed
 */
export async function checkInstalled(
  files: readonly string[],
  hashes = join(dirname(fileURLToPath(import.meta.url)), 'installed.json'),
): Promise<void> {
  const known = hashesSchema.parse(JSON.parse(await readFile(hashes, 'utf8')));
  await Promise.all(
    files.map(async (file) => {
      const bytes = await readFile(file).catch(() => null);
      const hash = bytes === null ? null : createHash('sha256').update(bytes).digest('hex');
      if (hash === null || hash !== known[basename(file)])
        throw new EngineError(
          'internal',
          `${file} is ${hash === null ? 'missing' : 'not as it was installed'}.`,
          'Install Archetone again. Your libraries are kept.',
        );
    }),
  );
}
