/**
 * Runs the benchmarks of tests/bench: all, or for each argument the one of that name, else those whose name contains it. Never part
 * of the timed tests.
 */
import { build } from 'esbuild';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, say } from './lib.mjs';

const wanted = process.argv.slice(2);
const folder = join(root, 'tests', 'bench');
const out = join(root, 'dist', 'bench');
mkdirSync(out, { recursive: true });

const all = readdirSync(folder).filter((file) => file.endsWith('.bench.ts'));
const named = (word) => {
  const own = all.filter((file) => file === `${word}.bench.ts`);
  return own.length > 0 ? own : all.filter((file) => file.includes(word));
};
const files = wanted.length === 0 ? all : [...new Set(wanted.flatMap(named))];

await build({
  absWorkingDir: root,
  entryPoints: files.map((file) => join(folder, file)),
  outdir: out,
  bundle: true,
  platform: 'node',
  format: 'esm',
  external: ['libsql', 'onnxruntime-node', 'pg-native', '@electric-sql/*'],
  define: { 'import.meta.dirname': JSON.stringify(folder) },
  banner: { js: "import { createRequire as __r } from 'node:module'; const require = __r(import.meta.url);" },
  logLevel: 'warning',
});
for (const file of files) {
  say(`\n── ${file}`);
  const { run } = await import(pathToFileURL(join(out, file.replace(/\.ts$/, '.js'))).href);
  await run();
}
