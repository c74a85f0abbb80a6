import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

/** A worker bundled for one test file. */
export interface BundledWorker {
  path: string;
  remove(): Promise<void>;
}

/**
 * Bundles a TypeScript worker entry into a temporary folder, so that tests run it without a build.
 * @param entry relative to the root of the repository
 * @param version of Archetone that it says it is of; otherwise it says none, like all code that was not built
 */
export async function bundleWorker(
  entry = 'engine/decode/worker.ts',
  version?: string,
): Promise<BundledWorker> {
  const root = resolve(import.meta.dirname, '../..');
  const folder = await mkdtemp(join(tmpdir(), 'archetone-worker-'));
  const path = join(folder, 'worker.mjs');
  await build({
    entryPoints: [resolve(root, entry)],
    outfile: path,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
    ...(version === undefined ? {} : { define: { __ARCHETONE_VERSION__: JSON.stringify(version) } }),
    // A speech enhancer of several megabytes that the Opus decoder loads only when asked to.
    external: ['@wasm-audio-decoders/opus-ml'],
    // Some dependencies are CommonJS and ask for Node's modules by require().
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  });
  return { path, remove: () => rm(folder, { recursive: true, force: true }) };
}
