/**
 * Compiles kernel.as to WebAssembly and writes it, as text that any bundler carries along, to kernelCode.ts.
 * Run it after changing the kernel: `node native/reduction/build.mjs`; a test fails when the two differ.
 */
import asc from 'assemblyscript/asc';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = dirname(fileURLToPath(import.meta.url));

/** @returns the WebAssembly module as bytes. */
export async function compileKernel() {
  let wasm = null;
  const source = readFileSync(join(folder, 'kernel.as'), 'utf8');
  const { error, stderr } = await asc.main(
    [
      'kernel.ts',
      '--enable',
      'simd',
      '-O3',
      '--noAssert',
      '--runtime',
      'stub',
      '--importMemory',
      '-o',
      'k.wasm',
    ],
    {
      readFile: (name) => (name === 'kernel.ts' ? source : null),
      writeFile: (name, contents) => {
        if (name === 'k.wasm') wasm = contents;
      },
      listFiles: () => [],
    },
  );
  if (error || wasm === null) throw error ?? new Error(stderr.toString());
  return wasm;
}

/** @returns the text of kernelCode.ts. */
export async function kernelModule() {
  const lines = Buffer.from(await compileKernel())
    .toString('base64')
    .match(/.{1,100}/g);
  return [
    '/** Generated from kernel.as by build.mjs: the distance kernels as WebAssembly, base64. */',
    'export const kernelCode =',
    lines.map((line) => `  '${line}'`).join(' +\n') + ';',
    '',
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(join(folder, 'kernelCode.ts'), await kernelModule());
