import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
// @ts-expect-error -- a script without types
import { describe as describeLibrary, shipped } from '../../scripts/notices.mjs';

const names = shipped as () => string[];
const describeOne = describeLibrary as (name: string) => { version: string; licence: string };
const isBuilt = existsSync(join(resolve(import.meta.dirname, '../..'), 'dist', 'node'));

// Only making a package asks for this, which no other test does.
it.skipIf(!isBuilt)('what is shipped is read from the bundles, each under a licence that may be', () => {
  const all = names();
  expect(all).toEqual(expect.arrayContaining(['zod', 'svelte', 'onnxruntime-node', 'music-metadata']));
  for (const name of all) expect(describeOne(name).version, name).toMatch(/^\d/);
});
