/**
 * npm test: sets everything up and runs everything: format, lint, types, unit/golden/property/fault tests, and the
 * end-to-end tests on the real Electron application, under a virtual display when there is none.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasDisplay, root, runWithin, say } from './lib.mjs';
import { setup } from './setup.mjs';

const results = join(root, 'test-results');
/** Several times what the longest step takes on two cores: a run that hangs ends and says so. */
const STEP_MINUTES = 35;
const bin = (name) => join(root, 'node_modules', '.bin', name);
const started = Date.now();
const total = { passed: 0, failed: 0, skipped: 0 };
let flaky = 0;
let broken = false;

async function step(title, command, args, options) {
  const begin = Date.now();
  say(`\n── ${title}`);
  const code = await runWithin(STEP_MINUTES, command, args, options);
  say(`── ${title}: ${code === 0 ? 'ok' : 'FAILED'} (${((Date.now() - begin) / 1000).toFixed(0)} s)`);
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

const dist = await setup({ wantVirtualDisplay: true });
mkdirSync(results, { recursive: true });
const environment = { ...process.env, ELECTRON_OVERRIDE_DIST_PATH: dist };

// Lint keeps one core busy for longer than all other checks together: the unit tests begin beside it.
const linted = step('Lint', bin('eslint'), ['.']);
await step('Format', bin('prettier'), ['--check', '--log-level=warn', '.']);
await step('Layers', bin('depcruise'), ['--config', '.dependency-cruiser.mjs', 'engine', 'models']);
// Checks every TypeScript file of the configuration too, as tsc would.
await step('Types', bin('svelte-check'), [
  '--tsconfig',
  './tsconfig.json',
  '--fail-on-warnings',
  '--output',
  'human',
]);
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

await linted;

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

say(`\nEverything took ${((Date.now() - started) / 1000).toFixed(0)} s.`);
if (broken && total.failed === 0) total.failed = 1;
if (flaky > 0) say(`${flaky} of them passed at the second try only: see above what they found at the first.`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(broken || total.failed > 0 ? 1 : 0);
