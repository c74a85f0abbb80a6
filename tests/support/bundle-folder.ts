import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of what bundles.ts makes. */
    bundles: string;
  }
}

/** Makes the folder of the bundles of this run, and removes it afterwards. */
export default function bundleFolder({ provide }: TestProject): () => void {
  const cache = resolve(import.meta.dirname, '../../node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'archetone-tests-'));
  provide('bundles', folder);
  return () => rmSync(folder, { recursive: true, force: true });
}
