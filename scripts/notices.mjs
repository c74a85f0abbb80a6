/**
 * Writes NOTICES.md: the libraries that the application ships, with their licences. The list is read from what the
 * bundler really put into the bundles, plus the native modules beside them. Fails on a licence we may not ship.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './lib.mjs';

const native = ['libsql', '@neon-rs/load', 'detect-libc', 'onnxruntime-node', 'onnxruntime-common', 'koffi'];
const refused = /\b(A?GPL)\b/;
/** Basic Pitch lies converted in models/melody/basic-pitch. */
const data = ['supersonic-scsynth-samples', '@spotify/basic-pitch'];

/** Package folders named by the source maps of the bundles. */
function bundledPackages() {
  const maps = ['electron', 'node'].flatMap((part) =>
    readdirSync(join(root, 'dist', part))
      .filter((name) => name.endsWith('.js.map'))
      .map((name) => join(part, name)),
  );
  const names = new Set();
  for (const map of maps) {
    const { sources } = JSON.parse(readFileSync(join(root, 'dist', map), 'utf8'));
    for (const source of sources) {
      const name = source
        .split('node_modules/')
        .at(-1)
        ?.match(/^(@[^/]+\/[^/]+|[^/]+)\//)?.[1];
      if (name && source.includes('node_modules/')) names.add(name);
    }
  }
  return names;
}

/** What the window bundles; its bundler writes no map, so the direct imports are listed. */
const inWindow = [
  'svelte',
  'plotly.js-strict-dist-min',
  'wavesurfer.js',
  'bits-ui',
  'zod',
  'mediabunny',
  'marked',
];

/** Names of everything that the application ships, besides Electron and the packs. */
export const shipped = () => [...new Set([...bundledPackages(), ...inWindow, ...native, ...data])].sort();

export function describe(name) {
  const file = join(root, 'node_modules', name, 'package.json');
  if (!existsSync(file)) throw new Error(`${name} is not installed`);
  const { version, license, homepage, repository } = JSON.parse(readFileSync(file, 'utf8'));
  const licence = typeof license === 'string' ? license : (license?.type ?? 'see package');
  if (refused.test(licence) && !licence.includes('LGPL')) throw new Error(`${name} is ${licence}`);
  const link = homepage ?? (typeof repository === 'string' ? repository : repository?.url) ?? '';
  return { name, version, licence, link: link.replace(/^git\+/, '').replace(/\.git$/, '') };
}

export function notices() {
  const rows = shipped()
    .map(describe)
    .map((p) => `| ${p.name} | ${p.version} | ${p.licence} | ${p.link} |`);
  return [
    '# Notices',
    '',
    'Libraries and data that the application ships, with their licences; written by `node scripts/notices.mjs`.',
    '`mpg123-decoder` carries libmpg123 (LGPL-2.1) as a WebAssembly module; the other decoders carry libFLAC, libvorbis and',
    'libopus (BSD). `mediabunny` is used unmodified under MPL-2.0. Electron and Chromium carry their own notices.',
    '',
    '| package | version | licence | home |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(join(root, 'NOTICES.md'), notices());
