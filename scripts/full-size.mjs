/**
 * Builds checkpoints of the official sizes and layouts with random weights, converts them and runs the packs, each in
 * a process of its own, and prints a table. Needs 4 GB of disk and the key lists of the reference material.
 *
 *   node scripts/full-size.mjs [--folder F] [--electron] [--sonify] [names…]
 *
 * --electron runs the packs in a utility process of real Electron, as the application does. --sonify also makes one
 * whole sonification of 40 guided steps. Names: autoencoder4 autoencoder10 base regressor mel; default: all.
 */
import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { fail, root, say } from './lib.mjs';

const { values, positionals } = parseArgs({
  options: {
    folder: { type: 'string' },
    electron: { type: 'boolean', default: false },
    sonify: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const keys = join(process.env.ARCHETONE_SHARED ?? resolve(root, '../shared'), 'golden/pecmae/keys');
if (!existsSync(keys)) fail(`The key lists are not in ${keys}: set ARCHETONE_SHARED.`);

const withCodec = ['autoencoder4', 'autoencoder10'];
const all = ['autoencoder4', 'autoencoder10', 'base', 'regressor', 'mel'];
const wanted = positionals.length > 0 ? positionals : all;
const unknown = wanted.find((name) => !all.includes(name));
if (unknown) fail(`${unknown} is not one of ${all.join(', ')}.`);

const folder = values.folder ? resolve(values.folder) : mkdtempSync(join(tmpdir(), 'archetone-full-'));
const out = join(root, 'dist', 'full-size');
mkdirSync(join(folder, 'packs'), { recursive: true });
mkdirSync(out, { recursive: true });

await build({
  absWorkingDir: root,
  entryPoints: ['tests/bench/full-size-step.ts'],
  outfile: join(out, 'step.mjs'),
  bundle: true,
  platform: 'node',
  format: 'esm',
  external: ['onnxruntime-node'],
  banner: { js: "import { createRequire as __r } from 'node:module'; const require = __r(import.meta.url);" },
  logLevel: 'warning',
});
const stepFile = pathToFileURL(join(out, 'step.mjs')).href;
writeFileSync(
  join(out, 'node.mjs'),
  `import { main } from '${stepFile}';\nawait main(process.argv.slice(2));\n// A utility process of Electron goes on for as long as its parent does.\nprocess.exit();\n`,
);
// Electron needs its main process to start the utility process, which is where the engine runs.
writeFileSync(
  join(out, 'electron.mjs'),
  `import { app, utilityProcess } from 'electron';
app.whenReady().then(() => {
  const child = utilityProcess.fork(${JSON.stringify(join(out, 'node.mjs'))}, process.argv.slice(process.argv.indexOf('run')), { stdio: 'inherit' });
  child.on('exit', (code) => app.exit(code));
});
`,
);

const { ensureElectron, electronProgram } = await import('./ensure-electron.mjs');
const electron = values.electron ? electronProgram(await ensureElectron()) : null;

function child(program, args) {
  return new Promise((done) => {
    const running = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    running.stdout.setEncoding('utf8').on('data', (part) => (text += part));
    running.on('close', (code, signal) => {
      const line = text.split('\n').findLast((each) => each.startsWith('{'));
      done(code === 0 && line ? JSON.parse(line) : { failed: signal ?? `exit ${code}` });
    });
  });
}
const step = (...args) => child(process.execPath, [join(out, 'node.mjs'), ...args]);

const rows = [];
say(`Runs ${electron ? 'in a utility process of Electron' : 'in Node'}, 2 threads.`);
for (const name of wanted) {
  const files = withCodec.includes(name) ? [name, 'encodec'] : [name];
  say(`${name}: writing ${files.join(' + ')}`);
  const written = await step('write', folder, keys, ...files);
  if (written.failed) fail(`${name} could not be written: ${written.failed}`);
  say(`${name}: converting`);
  const converted = await step('convert', folder, ...files);
  say(`${name}: running`);
  const args = ['run', folder, name, ...(values.sonify ? ['sonify'] : [])];
  const ran = electron
    ? await child(electron, ['--no-sandbox', join(out, 'electron.mjs'), ...args])
    : await step(...args);
  rows.push({ name, converted, ran });
}

const mb = (bytes) => (bytes === undefined ? '–' : (bytes / 1e6).toFixed(0));
const number = (value, digits) => (value === undefined ? '–' : value.toFixed(digits));
const both = (duration) => (duration ? `${number(duration.wall, 2)} (${number(duration.cpu, 2)} CPU)` : '–');
const head = [
  'model',
  'conversion s',
  'CPU s',
  'peak MB',
  'pack MB',
  'largest graph MB',
  's/window',
  's/guided step',
  's/decode',
  's/40 guided steps',
  'run peak MB',
];
const body = rows.map(({ name, converted: c, ran: r }) => [
  name,
  c.failed ?? number(c.seconds, 1),
  number(c.cpuSeconds, 1),
  mb(c.peakBytes),
  mb(c.packBytes),
  mb(c.largestGraphBytes),
  r.failed ?? both(r.embed),
  both(r.guidedStep),
  both(r.decode),
  both(r.sonification),
  mb(r.peakBytes),
]);
console.log([head, head.map(() => '---'), ...body].map((row) => `| ${row.join(' | ')} |`).join('\n'));
if (values.folder === undefined) rmSync(folder, { recursive: true, force: true });
if (rows.some(({ converted, ran }) => converted.failed || ran.failed)) process.exitCode = 1;
