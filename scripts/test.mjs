/**
 * npm test: sets everything up and runs everything: types, lint, format, unit/golden/property/fault tests, and the
 * end-to-end tests on the real Electron application, under a virtual display when there is none.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { childSeconds, hasDisplay, root, runWithin, say } from './lib.mjs';
import { setup } from './setup.mjs';

const results = join(root, 'test-results');
/** Several times what the longest step takes on two cores: a run that hangs ends and says so. */
const STEP_MINUTES = 35;
const bin = (name) => join(root, 'node_modules', '.bin', name);
const started = Date.now();
const total = { passed: 0, failed: 0, skipped: 0 };
/** What passed at the second try only, with what the first one found. */
const flaky = [];
let broken = false;
/** What failed, with the first line of why: said once more at the end, since what is above may be long or cut off. */
const failures = [];

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

/** @param options `again`: says whether what failed passes at a second try, which is part of the step's time */
async function step(title, command, args, { again, ...options } = {}) {
  say(`\n── ${title}${options.whole ? ' …' : ''}`);
  const { result: code, seconds } = await timed(title, async () => {
    const first = await runWithin(STEP_MINUTES, command, args, options);
    return first !== 0 && again && (await again()) ? 0 : first;
  });
  say(`── ${title}: ${code === 0 ? 'ok' : 'FAILED'} (${seconds.toFixed(0)} s)`);
  if (code !== 0) {
    broken = true;
    failures.push(`${title}: exit ${code}`);
  }
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

const firstLine = (text) => (text ?? '').replace(/\u001b\[[0-9;]*m/g, '').split('\n', 1)[0];

/** Failed tests of Vitest's report, and files that could not be read at all. */
function unitFailures({ testResults }) {
  return testResults.flatMap(({ name, message, status, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === 'failed');
    const file = relative(root, name);
    if (failed.length === 0 && status === 'failed') return [`${file}: ${firstLine(message)}`];
    return failed.map((test) => `${file} › ${test.fullName}: ${firstLine(test.failureMessages[0])}`);
  });
}

/** With failures in more files than these a change broke something, and a second try would only take time. */
const MOST_AGAIN = 5;

function filesWithFailures(report) {
  if (!existsSync(report)) return [];
  const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
  return testResults.filter(({ status }) => status === 'failed').map(({ name }) => relative(root, name));
}

/** Tests of Playwright's report, whose suites nest, that ended so: `unexpected`, `flaky`. */
function endToEndTests({ suites }, status) {
  const inside = (suite) => [
    ...(suite.specs ?? [])
      .filter((spec) => spec.tests.some((test) => test.status === status))
      .map((spec) => {
        const { error } = spec.tests.flatMap((test) => test.results).find((result) => result.error) ?? {};
        return `${spec.file}:${spec.line} › ${spec.title}: ${firstLine(error?.message)}`;
      }),
    ...(suite.suites ?? []).flatMap(inside),
  ];
  return suites.flatMap(inside);
}

const { result: dist } = await timed('Set-up', () => setup({ wantVirtualDisplay: true }));
mkdirSync(results, { recursive: true });
const environment = { ...process.env, ELECTRON_OVERRIDE_DIST_PATH: dist };

// Most of these keep one core busy: two at a time. What each has to say comes when it ends, for two at once could not be told apart.
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
    await step(check[0], bin(check[1]), check[2], { whole: true });
};
await Promise.all([side(), side()]);
const vitest = (report, ...files) => [
  ...['run', '--reporter=default', '--reporter=json', `--outputFile.json=${join(results, report)}`],
  ...files,
];
const unitCode = await step('Unit, golden, property and fault tests', bin('vitest'), vitest('unit.json'), {
  env: environment,
  // As end to end, in CI what fails has one more try: some tests kill processes and wait for limits on a busy machine.
  again: async () => {
    if (!process.env.CI) return false;
    const files = filesWithFailures(join(results, 'unit.json'));
    if (files.length === 0 || files.length > MOST_AGAIN) return false;
    say(`\n── Once more: ${files.join(', ')}`);
    const code = await runWithin(STEP_MINUTES, bin('vitest'), vitest('unit-again.json', ...files), {
      env: environment,
    });
    return code === 0;
  },
});
count('unit.json', (report) => {
  const failed = unitFailures(report);
  const passedAgain = unitCode === 0;
  (passedAgain ? flaky : failures).push(...failed);
  return {
    passed: report.numPassedTests + (passedAgain ? report.numFailedTests : 0),
    failed: passedAgain ? 0 : report.numFailedTests,
    skipped: report.numPendingTests + report.numTodoTests,
  };
});

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
count('e2e.json', (report) => {
  const { stats } = report;
  failures.push(
    ...endToEndTests(report, 'unexpected'),
    ...(report.errors ?? []).map((e) => firstLine(e.message)),
  );
  flaky.push(...endToEndTests(report, 'flaky'));
  return { passed: stats.expected + stats.flaky, failed: stats.unexpected, skipped: stats.skipped };
});

say('');
for (const { title, seconds, cpu } of steps)
  say(
    `${seconds.toFixed(0).padStart(5)} s${cpu === null ? '' : `, ${cpu.toFixed(0)} s of processor time`}: ${title}`,
  );
say(`Everything took ${((Date.now() - started) / 1000).toFixed(0)} s.`);
if (broken && total.failed === 0) total.failed = 1;
for (const test of flaky) say(`PASSED AT THE SECOND TRY ONLY ${test}`);
for (const failure of failures) say(`FAILED ${failure}`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(broken || total.failed > 0 ? 1 : 0);
