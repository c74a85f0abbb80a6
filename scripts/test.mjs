/**
 * npm test: sets everything up and runs everything: types, lint, format, unit/golden/property/fault tests, and the
 * end-to-end tests on the real Electron application, under a virtual display when there is none.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { childSeconds, hasDisplay, root, runWithin, say } from './lib.mjs';
import { setup } from './setup.mjs';

const results = join(root, 'test-results');
/** Several times what the longest step takes on two cores: a run that hangs ends and says so. */
const STEP_MINUTES = 35;
const bin = (name) => join(root, 'node_modules', '.bin', name);
const started = Date.now();
const total = { passed: 0, failed: 0, skipped: 0 };
let flaky = 0;
let broken = false;

/** Title, seconds and seconds of processor time of each step, for the closing lines. */
const steps = [];
let accounted = 0;

async function timed(title, work) {
  const begin = Date.now();
  const result = await work();
  const all = childSeconds();
  // Each process is counted when it ends, just before this line: what has come since the last one is this step's.
  const cpu = all === null ? null : all - accounted;
  accounted = all ?? 0;
  const seconds = (Date.now() - begin) / 1000;
  steps.push({ title, seconds, cpu });
  return { result, seconds };
}

async function step(title, command, args, options) {
  say(`\n── ${title}`);
  const { result: code, seconds } = await timed(title, () => runWithin(STEP_MINUTES, command, args, options));
  say(`── ${title}: ${code === 0 ? 'ok' : 'FAILED'} (${seconds.toFixed(0)} s)`);
  if (code !== 0) broken = true;
  return code;
}

/** Counts from a runner's JSON report; a runner that wrote none has failed. */
function count(file, read) {
  try {
    const counts = read(JSON.parse(readFileSync(join(results, file), 'utf8')));
    for (const key of Object.keys(total)) total[key] += counts[key];
  } catch (error) {
    say(`No report ${file}: ${error.message}`);
    broken = true;
  }
}

const { result: dist } = await timed('Set-up', () => setup({ wantVirtualDisplay: true }));
mkdirSync(results, { recursive: true });
const environment = { ...process.env, ELECTRON_OVERRIDE_DIST_PATH: dist };

// Most of these keep one core busy: two at a time.
const checks = [
  // Components, with what imports them; oxlint checks the types of everything else.
  [
    'Types of components',
    'svelte-check',
    ['--tsconfig', './tsconfig.svelte.json', '--fail-on-warnings', '--output', 'human'],
  ],
  ['Lint with types', 'oxlint', []],
  ['Lint of components and layers', 'eslint', ['.']],
  ['Format', 'prettier', ['--check', '--log-level=warn', '.']],
  [
    'Layers inside engine and models',
    'depcruise',
    ['--config', '.dependency-cruiser.mjs', 'engine', 'models'],
  ],
];
const side = async () => {
  for (let check = checks.shift(); check; check = checks.shift())
    await step(check[0], bin(check[1]), check[2]);
};
await Promise.all([side(), side()]);
await step(
  'Unit, golden, property and fault tests',
  bin('vitest'),
  ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${join(results, 'unit.json')}`],
  { env: environment },
);
count('unit.json', (report) => ({
  passed: report.numPassedTests,
  failed: report.numFailedTests,
  skipped: report.numPendingTests + report.numTodoTests,
}));

// A fresh clone has no reference files beside it: the tests that want them must skip, not fail. Where there are none
// now, the run above was the test of that.
if (existsSync(join(root, '..', 'shared')))
  await step(
    'Golden tests without the reference files',
    bin('vitest'),
    ['run', '--reporter=dot', 'tests/golden'],
    {
      env: { ...environment, ARCHETONE_SHARED: join(results, 'no-reference-files') },
    },
  );

const playwright = [process.execPath, join(root, 'node_modules', '@playwright', 'test', 'cli.js'), 'test'];
const [program, ...args] = hasDisplay()
  ? playwright
  : ['xvfb-run', '-a', '-s', '-screen 0 1600x1000x24', ...playwright];
await step('End to end, in the real application', program, args, {
  env: { ...environment, PLAYWRIGHT_JSON_OUTPUT_NAME: join(results, 'e2e.json') },
});
count('e2e.json', ({ stats }) => {
  flaky = stats.flaky;
  return { passed: stats.expected + stats.flaky, failed: stats.unexpected, skipped: stats.skipped };
});

say('');
for (const { title, seconds, cpu } of steps)
  say(
    `${seconds.toFixed(0).padStart(5)} s${cpu === null ? '' : `, ${cpu.toFixed(0)} s of processor time`}: ${title}`,
  );
say(`Everything took ${((Date.now() - started) / 1000).toFixed(0)} s.`);
if (broken && total.failed === 0) total.failed = 1;
if (flaky > 0) say(`${flaky} of them passed at the second try only: see above what they found at the first.`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(broken || total.failed > 0 ? 1 : 0);
