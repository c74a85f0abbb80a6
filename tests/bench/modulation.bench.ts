/**
 * Learned modulation filters against fixed octaves and filters learned from permuted labels, and what lower envelope rates
 * cost. ARCHETONE_BENCH_MODULATION names collections, with colons between them: folders with a folder per class, or whose files
 * begin with it. At most sixty files of a class, drawn by a seed, the first four seconds of each.
 */
import { readdirSync } from 'node:fs';
import { basename, join, sep } from 'node:path';
import { decodeMono } from '../../models/audio/index.ts';
import type { Resampled } from '../../models/evaluation/statistics/resampled.ts';
import { SAMPLE_RATE } from '../../models/modulation/spectra.ts';
import { sincMethods, studyModulation } from '../../models/modulation/study.ts';
import { swingSpectrum } from '../../models/modulation/swing.ts';
import { Random } from '../../models/numerics/random.ts';

const [PER_CLASS, LEAST] = [60, 5];
const signal = new AbortController().signal;
const SETTINGS = { steps: 150, splits: 5, seed: 1 };

export async function run(): Promise<void> {
  const folders = (process.env['ARCHETONE_BENCH_MODULATION'] ?? '').split(':').filter(Boolean);
  if (folders.length === 0) console.log('skipped: name collections in ARCHETONE_BENCH_MODULATION');
  for (const folder of folders) await oneFolder(folder);
}

async function oneFolder(folder: string): Promise<void> {
  const classOf = (path: string): string => path.split(path.includes('/') ? '/' : '_')[0] ?? '';
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => path.split(sep).join('/'))
    .filter((path) => /\.(mp3|wav|flac|ogg)$/i.test(path))
    .sort();
  const classes = [...new Set(paths.map(classOf))].filter(
    (name) => paths.filter((path) => classOf(path) === name).length >= LEAST,
  );
  const random = new Random(SETTINGS.seed);
  const drawn = classes.flatMap((name) =>
    random.shuffle(paths.filter((path) => classOf(path) === name)).slice(0, PER_CLASS),
  );
  const spectra: Float32Array[] = [];
  for (const path of drawn) spectra.push(await swingSpectrum(await beginningOf(join(folder, path))));
  const labels = drawn.map((path) => classes.indexOf(classOf(path)));
  const study = await studyModulation(
    { spectra, labels, groups: drawn },
    { ...SETTINGS, classes: classes.length },
  );
  console.log(`${basename(folder)}: ${drawn.length} files, ${classes.length} classes`);
  for (const name of sincMethods) console.log(`  ${name}: ${text(study.accuracy[name])}`);
  console.log(`  largest class: ${(100 * study.majority).toFixed(1)}`);
  console.log(`  learned − fixed: ${text(study.gain.fixed)}`);
  console.log(`  learned − permuted: ${text(study.gain.permuted)}`);
  console.log(
    `  filters: ${study.filters.learned.map(({ lowHz, highHz }) => `${lowHz.toFixed(2)}–${highHz.toFixed(2)}`).join(', ')}`,
  );
  for (const { rateHz, accuracy, perClass } of study.rates) {
    const own = perClass.map(
      (value, c) => `${classes[c] ?? ''} ${value === null ? '–' : (100 * value).toFixed(0)}`,
    );
    console.log(`  ${rateHz} Hz: ${text(accuracy)} | ${own.join(', ')}`);
  }
}

async function beginningOf(file: string): Promise<Float32Array> {
  const samples = new Float32Array(4 * SAMPLE_RATE);
  let filled = 0;
  for await (const chunk of decodeMono(file, { sampleRate: SAMPLE_RATE, signal })) {
    const part = chunk.subarray(0, samples.length - filled);
    samples.set(part, filled);
    filled += part.length;
    if (filled === samples.length) break;
  }
  return samples.subarray(0, filled);
}

const text = ({ mean, low, high }: Resampled): string =>
  `${(100 * mean).toFixed(1)} % (${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)})`;
