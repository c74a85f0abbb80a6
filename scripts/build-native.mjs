/**
 * Compiles the AssemblyScript kernels `native/<topic>/<name>.as` to WebAssembly with SIMD, each into a TypeScript module
 * `<name>.generated.ts` beside it. The modules are checked in: nothing needs the compiler unless a kernel changes, and a
 * kernel in a module is found in bundles, archives and tests alike.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root, say } from './lib.mjs';

/** Below this address nothing of a kernel's caller may lie: the kernel keeps its few constants there. */
const reservedBytes = 4096;
const options = {
  optimizeLevel: 3,
  shrinkLevel: 0,
  runtime: 'stub',
  noAssert: true,
  use: ['abort='],
  importMemory: true,
  enable: ['simd'],
  memoryBase: 1024,
};

/** Every kernel's source and the module it becomes. */
function kernels() {
  const folder = join(root, 'native');
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) =>
      readdirSync(join(folder, name))
        .filter((file) => file.endsWith('.as'))
        .map((file) => join(folder, name, file)),
    )
    .map((source) => ({ source, module: source.replace(/\.as$/, '.generated.ts') }));
}

/** The hash covers the options too: a kernel compiled otherwise is another kernel. */
function fingerprint(text) {
  return createHash('sha256').update(JSON.stringify(options)).update(text).digest('hex');
}

/** @returns the WebAssembly of an AssemblyScript text. */
export async function compile(text) {
  const { default: asc } = await import('assemblyscript/asc');
  const { error, stderr, binary } = await asc.compileString({ 'input.ts': text }, options);
  if (error || !binary) throw new Error(`${stderr.toString()}${error?.message ?? ''}`);
  return binary;
}

/** Compiles the kernels whose source has changed. */
export async function buildNative() {
  for (const { source, module } of kernels()) {
    const text = readFileSync(source, 'utf8').replaceAll('\r\n', '\n');
    const stamp = `// Source: ${fingerprint(text)}`;
    if (existsSync(module) && readFileSync(module, 'utf8').includes(stamp)) continue;
    const binary = await compile(text);
    if (WebAssembly.Module.imports(new WebAssembly.Module(binary)).some(({ kind }) => kind !== 'memory'))
      throw new Error(`${source} wants more than memory from its caller`);
    writeFileSync(
      module,
      [
        '// Made by scripts/build-native.mjs from the .as file beside it; do not edit.',
        stamp,
        `/** Bytes at the start of the memory that belong to the kernel. */`,
        `export const reservedBytes = ${reservedBytes};`,
        `/** The kernel: WebAssembly that imports \`env.memory\`, in base64. */`,
        `export const kernel =\n  '${Buffer.from(binary).toString('base64')}';`,
        '',
      ].join('\n'),
    );
    say(`Compiled ${source} (${binary.length} bytes)`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildNative();
