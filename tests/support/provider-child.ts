import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '../..');

/**
 * Bundles the entry in which providers are measured, as the application's build does. It lies below `node_modules` so
 * that it finds ONNX Runtime. @returns its path
 */
export async function bundleProviderChild(): Promise<string> {
  const folder = join(root, 'node_modules/.cache/archetone-tests');
  await mkdir(folder, { recursive: true });
  const outfile = join(folder, `provider-child-${process.pid}.mjs`);
  await build({
    entryPoints: [join(root, 'engine/packs/provider-child.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['onnxruntime-node'],
    // zod and protobufjs mix module systems.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    logLevel: 'silent',
  });
  return outfile;
}
