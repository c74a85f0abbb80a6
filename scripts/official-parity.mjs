/**
 * Runs the golden tests of the official models and writes what they measured to docs/official-parity.md: the worst
 * difference of every stage from the reference implementation, beside the largest that is accepted.
 */
import { mkdtempSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fail, root, runToEnd, say } from './lib.mjs';

const TESTS = ['encodec.', 'mel.', 'encodecmae.', 'diffusion.', 'variants.', 'pecmae-prototype.', 'trainer.'];
/** Chapters of the page. */
const GROUPS = [
  'EnCodec',
  'Mel front-end',
  'Front-ends of music networks',
  'Networks turned into ONNX',
  'EnCodecMAE',
  'Diffusion autoencoder',
  'Regressor',
  'Prototype network',
  'Reduced precision, against float32',
];
const PAGE = join(root, 'docs', 'official-parity.md');

const folder = mkdtempSync(join(tmpdir(), 'archetone-parity-'));
const file = join(folder, 'rows.jsonl');
const files = [
  ...TESTS.map((name) => `tests/golden/${name}test.ts`),
  'tests/models/backbones/mel-presets.test.ts',
  'tests/models/tensorflow/tensorflow.test.ts',
];
const code = await runToEnd('npx', ['vitest', 'run', ...files], {
  env: { ...process.env, ARCHETONE_PARITY_FILE: file },
  shell: process.platform === 'win32',
});
if (code !== 0) fail('The golden tests do not pass: the table stays as it is.');
if (!existsSync(file))
  fail('The golden data is not there (CONTRIBUTING.md says where): nothing was measured.');
const rows = worstRows(readFileSync(file, 'utf8'));
rmSync(folder, { recursive: true });
writeFileSync(PAGE, page(rows));
say(`${rows.length} stages → docs/official-parity.md`);

/** One row a stage, with its worst difference, in the order in which stages were first seen. */
function worstRows(text) {
  const stages = new Map();
  for (const line of text.trim().split('\n')) {
    const row = JSON.parse(line);
    const before = stages.get(row.stage);
    if (!before || row.worst > before.worst) stages.set(row.stage, row);
  }
  return [...stages.values()];
}

function page(rows) {
  const figure = (value) => (value === 0 ? '0' : value.toExponential(1));
  const groups = new Map(GROUPS.map((name) => [name, []]));
  for (const row of rows) groups.get(groupOf(row)).push(row);
  const tables = [...groups].map(([group, members]) => {
    const lines = members
      .map(({ stage, worst, tolerance }) => [stage, figure(worst), figure(tolerance)])
      .sort(([a], [b]) => a.localeCompare(b));
    const table = [['stage', 'worst', 'accepted'], ...lines];
    const widths = [0, 1, 2].map((i) => Math.max(...table.map((row) => row[i].length)));
    const write = (row) =>
      `| ${row[0].padEnd(widths[0])} | ${row[1].padStart(widths[1])} | ${row[2].padStart(widths[2])} |`;
    const rule = `| ${'-'.repeat(widths[0])} | ${'-'.repeat(widths[1] - 1)}: | ${'-'.repeat(widths[2] - 1)}: |`;
    return `## ${group}\n\n${[write(table[0]), rule, ...table.slice(1).map(write)].join('\n')}\n`;
  });
  return `# Parity with the reference implementation

Largest absolute difference of every stage from the outputs of the reference code (PECMAE, EnCodecMAE, EnCodec; PyTorch),
on checkpoints of its classes, key names and containers with random weights of reduced size. What is accepted is about ten
times the float32 noise of the reference itself. The front-ends of music networks are compared with rows that Essentia computed;
networks turned into ONNX with a twin in double precision, on the layers of the published ones with fewer channels and random
weights, and Basic Pitch, with the weights that it was published with, with TensorFlow.js.
Written by \`node scripts/official-parity.mjs\`, which runs the golden tests; do not edit.

${tables.join('\n')}`;
}

function groupOf({ stage }) {
  if (/relative to float32/.test(stage)) return 'Reduced precision, against float32';
  if (/^Conversion, /.test(stage)) return 'Networks turned into ONNX';
  if (/^Front-end, /.test(stage)) return 'Front-ends of music networks';
  if (/^mel/.test(stage)) return 'Mel front-end';
  if (/^EnCodec\b/.test(stage)) return 'EnCodec';
  if (/^(EnCodecMAE|Twin)/.test(stage)) return 'EnCodecMAE';
  if (/^(Autoencoder|Denoiser|Sampler|Sonification)/.test(stage)) return 'Diffusion autoencoder';
  if (/^Regressor/.test(stage)) return 'Regressor';
  return 'Prototype network';
}
