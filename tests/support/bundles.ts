import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { build } from 'esbuild';
import { inject } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

const making = new Map<string, Promise<string>>();

/**
 * Bundles a script of the repository for processes and threads that are started from it, once for all test files of a
 * run. It lies below `node_modules`, so that it finds the native modules; everything else is in it or, where it is read
 * later, beside it, which starts sooner.
 * @param entry relative to the root of the repository
 * @param version of Archetone that it says it is of; otherwise it says none, like all code that was not built
 * @returns its path
 */
export function bundled(entry: string, version?: string): Promise<string> {
  const name = entry.replaceAll('/', '-').replace(/\.ts$/, '') + (version === undefined ? '' : `@${version}`);
  const made = making.get(name) ?? bundle(entry, name, version);
  making.set(name, made);
  return made;
}

async function bundle(entry: string, name: string, version: string | undefined): Promise<string> {
  const path = join(inject('bundles'), `${name}.mjs`);
  if (existsSync(path)) return path;
  const { outputFiles } = await build({
    entryPoints: { [name]: join(root, entry) },
    outdir: inject('bundles'),
    outExtension: { '.js': '.mjs' },
    write: false,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.18',
    logLevel: 'error',
    external: ['electron', 'koffi', 'libsql', 'onnxruntime-node', '@wasm-audio-decoders/opus-ml'],
    ...(version === undefined ? {} : { define: { __ARCHETONE_VERSION__: JSON.stringify(version) } }),
    // Some dependencies are CommonJS and ask for Node's modules and their own place.
    banner: {
      js: [
        "import { createRequire as __createRequire } from 'node:module';",
        'const require = __createRequire(import.meta.url);',
        'const { filename: __filename, dirname: __dirname } = import.meta;',
      ].join('\n'),
    },
  });
  // Test files run at the same time: none may see what another has written in part, or begin before the rest is there.
  const parts = outputFiles.toSorted((a, b) => Number(a.path === path) - Number(b.path === path));
  for (const part of parts) {
    const own = join(inject('bundles'), `${process.pid}-${basename(part.path)}`);
    writeFileSync(own, part.contents);
    renameSync(own, part.path);
  }
  return path;
}
