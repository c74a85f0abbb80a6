/**
 * How well planted mistakes are found. Labels of the folder ARCHETONE_BENCH_AUDIO (a folder per class) are exchanged, at
 * random or with the most similar class; each ranking is asked for as many tracks as were exchanged. The rankings:
 * chance; the confidence of one network that has learned from all labels; the published scores of confident learning on
 * the same out-of-fold probabilities (self-confidence, normalised margin, confidence-weighted entropy, pruning by the
 * confident joint: Northcutt, Jiang and Chuang 2021; Kuan and Mueller 2022), which stand in for cleanlab where it cannot be
 * installed; the same on a logistic regression, and cleanlab itself, where ARCHETONE_PYTHON has scikit-learn and cleanlab;
 * and the product's. What the product uses was chosen on the demo sounds and on rendered
 * instruments, which ARCHETONE_BENCH_TUNING may name, never on the folder that is reported.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { oneHot, type LabelledWindows } from '../../models/embeddings/labelled-vectors.ts';
import { meanByTrack, poolTracks } from '../../models/embeddings/pooling.ts';
import { classOfTracks } from '../../models/embeddings/tracks.ts';
import { judgeLabels } from '../../models/mistakes/judge.ts';
import { outOfFold } from '../../models/mistakes/out-of-fold.ts';
import { squaredDistance } from '../../models/numerics/distances.ts';
import { Random } from '../../models/numerics/random.ts';
import { defaultTrainParameters, trainPrototypeNetwork } from '../../models/pecmae/trainer.ts';
import { writeNpz } from '../../models/tensors/index.ts';
import { embedFolder } from './mistakes-collection.ts';

const FOLDS = 5;
const RATES = [0.05, 0.1, 0.2];
/** As many as ARCHETONE_BENCH_SEEDS says: with three, one label more or less is a point. */
const SEEDS = Array.from({ length: Number(process.env['ARCHETONE_BENCH_SEEDS'] ?? 3) }, (_, i) => i + 1);
const LEAST_TRACKS = 10;
const signal = new AbortController().signal;

type Ranking = readonly number[];
type Noise = 'at random' | 'confusable pairs';

export async function run(): Promise<void> {
  const audio = process.env['ARCHETONE_BENCH_AUDIO'];
  if (!audio) {
    console.log('skipped: name a folder with a folder per class in ARCHETONE_BENCH_AUDIO');
    return;
  }
  const tuning = process.env['ARCHETONE_BENCH_TUNING'];
  for (const folder of [...(tuning ? [tuning] : []), audio]) {
    const set = await embedFolder(folder, (path) => path.split('/').slice(0, -1).slice(0, 1));
    console.log(`${folder}: ${set.tracks.ids.length} tracks, ${set.labelNames.length} classes`);
    for (const noise of ['at random', 'confusable pairs'] as const)
      for (const rate of RATES) await single(set, noise, rate);
  }
  const several = await embedFolder(audio, tokens);
  for (const rate of RATES) await multi(several, rate);
}

/** Instrument, dynamics and articulation, as the names of the files say them. */
function tokens(path: string): string[] {
  const [instrument, , , dynamics, articulation] =
    path
      .replace(/\.\w+$/, '')
      .split('/')
      .at(-1)
      ?.split('_') ?? [];
  return [instrument, dynamics, articulation].flatMap((token) => token ?? []);
}

async function single(set: LabelledWindows, noise: Noise, rate: number): Promise<void> {
  const truth = classOfTracks(set).map((name) => set.labelNames.indexOf(name));
  const table = new Table();
  const classes = set.labelNames.length;
  for (const seed of SEEDS) {
    const given = exchange(set, truth, noise, rate, seed);
    const bad = given.map((label, track) => label !== truth[track]);
    const planted = bad.filter(Boolean).length;
    const noisy = relabelled(set, given);
    const folds = await outOfFold(noisy, { task: 'single', folds: FOLDS, seed, signal });
    const { verdicts } = await judgeLabels(noisy, folds, { task: 'single', signal });
    const p = (track: number, label: number): number => folds.probabilities[track * classes + label] ?? 0;
    const rival = (track: number, own: number): number =>
      set.labelNames.reduce((most, _, label) => (label === own ? most : Math.max(most, p(track, label))), 0);
    const ours = [...verdicts].sort((a, b) => a.margin - b.margin);
    table.add('chance', rate, rate / 2, rate * 2);
    table.rank('confidence, no folds', byScore(await memorised(noisy, given, seed)), bad, planted);
    table.rank(
      'out-of-fold self-confidence',
      byScore(given.map((own, track) => -p(track, own))),
      bad,
      planted,
    );
    table.rank(
      'out-of-fold normalised margin',
      byScore(given.map((own, track) => rival(track, own) - p(track, own))),
      bad,
      planted,
    );
    table.rank(
      'out-of-fold confidence-weighted entropy',
      byScore(weightedEntropy(folds.probabilities, given)),
      bad,
      planted,
    );
    table.rank(
      'out-of-fold confident joint',
      byScore(confidentJoint(folds.probabilities, given)),
      bad,
      planted,
    );
    for (const [name, scores] of Object.entries(peer(noisy, given, folds)))
      table.rank(name, byScore(scores), bad, planted);
    table.rank(
      'archetone',
      ours.map(({ track }) => track),
      bad,
      planted,
    );

    const accepted = [...given];
    for (const { track, suggested } of ours.slice(0, planted)) accepted[track] = suggested ?? 0;
    const again = await outOfFold(relabelled(set, accepted), { task: 'single', folds: FOLDS, seed, signal });
    table.accuracy.push([
      share(given, truth),
      share(accepted, truth),
      share(predicted(folds.probabilities, classes), truth),
      share(predicted(again.probabilities, classes), truth),
    ]);
  }
  table.print(`${100 * rate} % exchanged, ${noise}`);
}

async function multi(all: LabelledWindows, rate: number): Promise<void> {
  const pooledTruth = poolTracks(all);
  const counts = all.labelNames.map((_, l) =>
    pooledTruth.labels.reduce((sum, v, cell) => sum + (cell % all.labelNames.length === l ? v : 0), 0),
  );
  const columns = counts.flatMap((count, label) => (count >= LEAST_TRACKS ? [label] : []));
  const width = columns.length;
  const tracks = all.tracks.ids.length;
  const truth = new Uint8Array(tracks * width);
  for (let track = 0; track < tracks; track++)
    columns.forEach((column, l) => {
      truth[track * width + l] = pooledTruth.labels[track * all.labelNames.length + column] ?? 0;
    });
  const table = new Table();
  for (const seed of SEEDS) {
    const random = new Random(seed + 100 * rate);
    const given = truth.slice();
    // A label forgotten or one put on by mistake, half and half.
    for (const track of random.shuffle([...Array(tracks).keys()]).slice(0, Math.round(rate * tracks))) {
      const wanted = random.uniform() < 0.5 ? 1 : 0;
      const cells = columns.flatMap((_, l) =>
        truth[track * width + l] === wanted ? [track * width + l] : [],
      );
      const cell = cells[random.integer(Math.max(1, cells.length))];
      const bears = columns.filter((_, l) => truth[track * width + l] === 1).length;
      if (cell !== undefined && (wanted === 0 || bears > 1)) given[cell] = 1 - wanted;
    }
    const labels = new Uint8Array(all.count * width);
    all.tracks.of.forEach((track, row) => {
      labels.set(given.subarray(track * width, (track + 1) * width), row * width);
    });
    const noisy = { ...all, labels, labelNames: columns.map((column) => all.labelNames[column] ?? '') };
    const folds = await outOfFold(noisy, { task: 'multi', folds: FOLDS, seed, signal });
    const { verdicts } = await judgeLabels(noisy, folds, { task: 'multi', signal });
    const bad = Array.from(given, (value, cell) => value !== truth[cell]);
    const planted = bad.filter(Boolean).length;
    table.add('chance', planted / bad.length, planted / bad.length / 2, (planted / bad.length) * 2);
    table.rank(
      'out-of-fold self-confidence per label',
      byScore(
        Array.from(
          given,
          (v, cell) => (v === 1 ? -1 : 1) * (folds.probabilities[cell] ?? 0) - (v === 1 ? 0 : 1),
        ),
      ),
      bad,
      planted,
    );
    const cells = [...verdicts]
      .sort((a, b) => a.margin - b.margin)
      .map(({ track, given: own, suggested }) => track * width + (own ?? suggested ?? 0));
    table.rank('archetone', cells, bad, planted);
    const right = (labels: Uint8Array): number =>
      labels.filter((value, cell) => value === truth[cell]).length / labels.length;
    const accepted = given.slice();
    for (const cell of cells.slice(0, planted)) accepted[cell] = 1 - (accepted[cell] ?? 0);
    table.accuracy.push([right(given), right(accepted)]);
  }
  table.print(
    `several labels (${width}), ${100 * rate} % of the tracks with one label forgotten or too many`,
  );
}

/** Exchanges the labels of a share of the tracks. */
function exchange(set: LabelledWindows, truth: number[], noise: Noise, rate: number, seed: number): number[] {
  const random = new Random(seed + 1000 * rate);
  const classes = set.labelNames.length;
  const similar = noise === 'confusable pairs' ? mostSimilar(set, truth) : null;
  const given = [...truth];
  for (const track of random.shuffle([...truth.keys()]).slice(0, Math.round(rate * truth.length))) {
    const own = truth[track] ?? 0;
    given[track] = similar?.[own] ?? (own + 1 + random.integer(classes - 1)) % classes;
  }
  return given;
}

/** Of each class, the one whose mean lies nearest. */
function mostSimilar(set: LabelledWindows, truth: readonly number[]): number[] {
  const { features, dim } = poolTracks(set);
  const means = meanByTrack(features, dim, truth, set.labelNames.length);
  return set.labelNames.map((_, own) => {
    const others = [...set.labelNames.keys()].filter((label) => label !== own);
    const distance = (label: number): number => squaredDistance(means, own * dim, means, label * dim, dim);
    return others.reduce((best, label) => (distance(label) < distance(best) ? label : best));
  });
}

function relabelled(set: LabelledWindows, given: readonly number[]): LabelledWindows {
  const columns = Array.from(set.tracks.of, (track) => given[track] ?? 0);
  return { ...set, labels: oneHot(columns, set.labelNames.length) };
}

/** What a network says of the labels that it learned itself: 1 − confidence. */
async function memorised(set: LabelledWindows, given: readonly number[], seed: number): Promise<number[]> {
  const parameters = { ...defaultTrainParameters, seed };
  const { network } = await trainPrototypeNetwork(set, null, parameters, { signal });
  const classes = set.labelNames.length;
  const logits = meanByTrack(network.logits(set.features, set.count), classes, set.tracks.of, given.length);
  return given.map(
    (own, track) =>
      -(network.probabilities(logits.subarray(track * classes, (track + 1) * classes))[own] ?? 0),
  );
}

function peer(
  set: LabelledWindows,
  given: readonly number[],
  { probabilities, foldOf }: { probabilities: Float32Array; foldOf: Uint8Array },
): Record<string, number[]> {
  const python = process.env['ARCHETONE_PYTHON'];
  if (!python) return {};
  const folder = mkdtempSync(join(tmpdir(), 'archetone-peer-'));
  try {
    const file = join(folder, 'case.npz');
    const { features, dim, count } = poolTracks(set);
    writeFileSync(
      file,
      writeNpz({
        vectors: { dtype: 'float32', shape: [count, dim], data: features },
        given: { dtype: 'int32', shape: [count], data: Int32Array.from(given) },
        fold: { dtype: 'int32', shape: [count], data: Int32Array.from(foldOf) },
        probabilities: { dtype: 'float32', shape: [count, set.labelNames.length], data: probabilities },
      }),
    );
    const script = join(import.meta.dirname, 'peer_mistakes.py');
    const answer: unknown = JSON.parse(execFileSync(python, [script, file], { encoding: 'utf8' }));
    return answer as Record<string, number[]>;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Kuan and Mueller 2022: entropy over its most, divided by the confidence in the given label. */
function weightedEntropy(probabilities: Float32Array, given: readonly number[]): number[] {
  const classes = probabilities.length / given.length;
  return given.map((own, track) => {
    const p = probabilities.subarray(track * classes, (track + 1) * classes);
    const entropy = p.reduce((sum, value) => (value > 0 ? sum - value * Math.log(value) : sum), 0);
    return entropy / Math.log(classes) / Math.max(p[own] ?? 0, 1e-9);
  });
}

/**
 * Northcutt, Jiang and Chuang 2021, section 3.1: a track counts as of the likeliest class among those that reach their
 * mean self-confidence; where that is another class than the given one it comes first, the least confident foremost.
 */
function confidentJoint(probabilities: Float32Array, given: readonly number[]): number[] {
  const classes = probabilities.length / given.length;
  const p = (track: number, label: number): number => probabilities[track * classes + label] ?? 0;
  const thresholds = Array.from({ length: classes }, (_, label) => {
    const own = [...given.keys()].filter((track) => given[track] === label);
    return own.length > 0 ? own.reduce((sum, track) => sum + p(track, label), 0) / own.length : Infinity;
  });
  return given.map((own, track) => {
    const reached = thresholds.flatMap((least, label) => (p(track, label) >= least ? [label] : []));
    const counted = reached.reduce(
      (best, label) => (p(track, label) > p(track, best) ? label : best),
      reached[0] ?? own,
    );
    return (counted === own ? 0 : 1) - p(track, own);
  });
}

function byScore(scores: readonly number[]): Ranking {
  return [...scores.keys()].sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
}

function predicted(probabilities: Float32Array, classes: number): number[] {
  return Array.from({ length: probabilities.length / classes }, (_, track) => {
    const own = probabilities.subarray(track * classes, (track + 1) * classes);
    return own.indexOf(Math.max(...own));
  });
}

function share(labels: readonly number[], truth: readonly number[]): number {
  return labels.filter((label, track) => label === truth[track]).length / truth.length;
}

/** Means over the seeds. */
class Table {
  readonly #rows = new Map<string, number[][]>();
  /** Labels right before and after, out-of-fold predictions right before and after. */
  readonly accuracy: number[][] = [];

  rank(name: string, ranking: Ranking, bad: readonly boolean[], planted: number): void {
    const hits = (n: number): number => ranking.slice(0, n).filter((item) => bad[item]).length;
    this.add(
      name,
      hits(planted) / planted,
      hits(Math.round(planted / 2)) / planted,
      hits(2 * planted) / planted,
    );
  }

  /** @param figures precision (= recall) of the first n, recall of the first n/2, recall of the first 2n */
  add(name: string, ...figures: number[]): void {
    this.#rows.set(name, [...(this.#rows.get(name) ?? []), figures]);
  }

  print(title: string): void {
    console.log(`\n${title}; n = as many as planted, mean of ${SEEDS.length} seeds`);
    console.table(
      [...this.#rows].map(([ranking, figures]) => ({
        ranking,
        'precision and recall of the first n': percentOf(figures, 0),
        'recall of the first n/2': percentOf(figures, 1),
        'recall of the first 2n': percentOf(figures, 2),
      })),
    );
    if (this.accuracy.length === 0) return;
    const columns = this.accuracy[0]?.length ?? 0;
    const [before, after, network, retrained] = Array.from({ length: columns }, (_, i) =>
      percentOf(this.accuracy, i),
    );
    console.log(
      `after accepting the first n: labels right ${before ?? ''} → ${after ?? ''} %` +
        (network === undefined
          ? ''
          : `; out-of-fold accuracy against the truth ${network} → ${retrained ?? ''} %`),
    );
  }
}

function percentOf(figures: readonly number[][], column: number): number {
  const sum = figures.reduce((total, row) => total + (row[column] ?? 0), 0);
  return Number(((100 * sum) / figures.length).toFixed(1));
}
