/** Bundles everything that runs into dist/: Electron's processes, the command line, the workers and the window. */
import { build as esbuild } from 'esbuild';
import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildNative } from './build-native.mjs';
import { root } from './lib.mjs';

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Native modules stay in node_modules, and the optional parts of a decoder and of pg are never loaded; the rest is bundled. */
const external = [
  'electron',
  'koffi',
  'libsql',
  'onnxruntime-node',
  '@wasm-audio-decoders/opus-ml',
  'pg-native',
];

/** What the parts tell each other when they meet (engine/wire/version.ts). */
const define = { __ARCHETONE_VERSION__: JSON.stringify(version) };

const node = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20.18',
  format: 'esm',
  external,
  sourcemap: true,
  logLevel: 'warning',
  define,
  // Bundled CommonJS dependencies still ask for require and the file's own path.
  banner: {
    js: [
      "import { createRequire as __createRequire } from 'node:module';",
      "import { fileURLToPath as __fileURLToPath } from 'node:url';",
      "import { dirname as __dirnameOf } from 'node:path';",
      'const require = __createRequire(import.meta.url);',
      'const __filename = __fileURLToPath(import.meta.url);',
      'const __dirname = __dirnameOf(__filename);',
    ].join('\n'),
  },
};

const page = {
  absWorkingDir: root,
  bundle: true,
  platform: 'browser',
  target: 'chrome130',
  logLevel: 'warning',
  define,
};

async function buildNode() {
  await buildNative();
  // Names of parts change with what is in them.
  rmSync(join(root, 'dist/node'), { recursive: true, force: true });
  await Promise.all([
    esbuild({
      ...node,
      entryPoints: {
        main: 'electron/main.ts',
        'engine-process': 'electron/engine-process.ts',
        'provider-child': 'engine/packs/provider-child.ts',
        embedder: 'engine/embedder/entry.ts',
        readers: 'engine/readers/entry.ts',
      },
      outdir: 'dist/electron',
    }),
    esbuild({
      ...node,
      entryPoints: {
        'decode-worker': 'engine/decode/worker.ts',
        'dataset-worker': 'engine/datasets/dataset-worker.ts',
        'label-worker': 'engine/taxonomies/label-worker.ts',
        'provider-child': 'engine/packs/provider-child.ts',
        embedder: 'engine/embedder/entry.ts',
        readers: 'engine/readers/entry.ts',
      },
      outdir: 'dist/node',
    }),
    // In parts: most of it is read only by commands that open a library.
    esbuild({ ...node, splitting: true, entryPoints: { cli: 'cli/main.ts' }, outdir: 'dist/node' }),
    // Sandboxed preload scripts must be CommonJS.
    esbuild({
      ...page,
      format: 'cjs',
      external: ['electron'],
      entryPoints: { preload: 'electron/preload.ts', 'decoder-preload': 'electron/decoder-preload.ts' },
      outdir: 'dist/electron',
      outExtension: { '.js': '.cjs' },
    }),
    esbuild({
      ...page,
      format: 'esm',
      entryPoints: { page: 'electron/decoder-page/page.ts' },
      outdir: 'dist/electron/decoder-page',
    }),
  ]);
  copyFileSync(
    join(root, 'electron/decoder-page/index.html'),
    join(root, 'dist/electron/decoder-page/index.html'),
  );
  noteWorkers();
}

/** What starts as a thread lies outside the archive of a packaged application; these hashes lie inside (electron/installed.ts). */
function noteWorkers() {
  const hashes = ['decode-worker.js', 'dataset-worker.js', 'label-worker.js'].map((name) => [
    name,
    createHash('sha256')
      .update(readFileSync(join(root, 'dist/node', name)))
      .digest('hex'),
  ]);
  // Outside the archive no other file says that they are modules: in a checkout the one at its top would.
  writeFileSync(join(root, 'dist/node/package.json'), `${JSON.stringify({ type: 'module' })}\n`);
  writeFileSync(
    join(root, 'dist/electron/installed.json'),
    `${JSON.stringify(Object.fromEntries(hashes), null, 2)}\n`,
  );
}

async function buildRenderer() {
  const { build: viteBuild } = await import('vite');
  await viteBuild({ configFile: join(root, 'vite.renderer.config.ts'), logLevel: 'warn' });
}

export async function build(parts = ['node', 'renderer']) {
  await Promise.all([
    parts.includes('node') ? buildNode() : null,
    parts.includes('renderer') ? buildRenderer() : null,
  ]);
}

// While working on one side: node scripts/build.mjs node|renderer
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const parts = process.argv.slice(2);
  await build(parts.length > 0 ? parts : undefined);
}
