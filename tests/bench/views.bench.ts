/**
 * Several views against one: share of right answers on test tracks, mean over five splits and seeds, of the best single
 * view, of a network on all views beside each other (concatenation) and of blends. ARCHETONE_BENCH_VIEWS names collections,
 * with colons between them: folders with a folder per class, or whose files begin with it. Nothing is chosen on the test part.
 */
import { basename } from 'node:path';
import type { LabelledWindows } from '../../models/embeddings/labelled-vectors.ts';
import { poolTracks } from '../../models/embeddings/pooling.ts';
import { selectTracks } from '../../models/embeddings/tracks.ts';
import { meanOf, spreadOf } from '../../models/benchmarks/summary.ts';
import { scoreTracks } from '../../models/evaluation/metrics/track-scores.ts';
import { splitTracks, type Part } from '../../models/evaluation/splits/holdout.ts';
import { standardise, standardisationOf } from '../../models/neighbours/standardised.ts';
import { defaultTrainParameters, trainPrototypeNetwork } from '../../models/pecmae/trainer.ts';
import { trainViews, type ViewTrainParameters } from '../../models/views/train-views.ts';
import { collectionInViews, frequentClasses } from './views-collection.ts';

const SEEDS = [1, 2, 3, 4, 5];
const VIEWS = ['compact', 'mfcc', 'modulation'];
const STEPS = 500;
const SHARES = { train: 0.7, validation: 0.1, test: 0.2 };
/** Of the half 95 % interval of a mean of five, by Student's t. */
const T_OF_FIVE = 2.776;
const signal = new AbortController().signal;

const methods: Record<string, Pick<ViewTrainParameters, 'weighting' | 'head'>> = {
  concatenation: { weighting: 'concatenation', head: 'trained' },
  'P1, joint head refitted': { weighting: 'p1', head: 'refit' },
  'P1, sum by weight': { weighting: 'p1', head: 'blended' },
  'P2, joint head refitted': { weighting: 'p2', head: 'refit' },
  'P2, sum by weight': { weighting: 'p2', head: 'blended' },
  'equal, joint head refitted': { weighting: 'equal', head: 'refit' },
};

export async function run(): Promise<void> {
  const folders = (process.env['ARCHETONE_BENCH_VIEWS'] ?? '').split(':').filter(Boolean);
  if (folders.length === 0) console.log('skipped: name collections in ARCHETONE_BENCH_VIEWS');
  for (const folder of folders) {
    const scores = new Map<string, number[]>();
    const { views } = await collectionInViews(basename(folder), folder, VIEWS);
    const sets = views.map(({ set }) => frequentClasses(set));
    const before = process.cpuUsage();
    for (const seed of SEEDS) await scoreSeed(sets, seed, scores);
    const { user } = process.cpuUsage(before);
    const [first] = sets;
    console.log(
      `${basename(folder)}: ${String(first?.tracks.ids.length)} tracks, ${String(first?.labelNames.length)} classes (${(user / 1e6).toFixed(0)} s)`,
    );
    for (const [name, values] of scores) {
      const { mean, sd } = spreadOf(values.map((value) => 100 * value));
      const half = (T_OF_FIVE * sd) / Math.sqrt(values.length);
      console.log(
        `  ${name.padEnd(34)} ${mean.toFixed(1)} ± ${half.toFixed(1)}   ${values.map((v) => (100 * v).toFixed(1)).join(' ')}`,
      );
    }
    console.log(
      `  mean of blends by P1: ${(100 * meanOf(scores.get('P1, joint head refitted') ?? [])).toFixed(1)}`,
    );
  }
}

async function scoreSeed(
  sets: readonly LabelledWindows[],
  seed: number,
  scores: Map<string, number[]>,
): Promise<void> {
  const add = (name: string, score: number): unknown =>
    scores.set(name, [...(scores.get(name) ?? []), score]);
  const parts = splitOf(sets, seed);
  const part = (wanted: Part): LabelledWindows[] =>
    sets.map((set) => selectTracks(set, (track) => parts.get(set.tracks.ids[track] ?? '') === wanted));
  const [train, validation, test] = [part('train'), part('validation'), part('test')];
  const base = { ...defaultTrainParameters, steps: STEPS, seed };
  const accuracy = (logits: Float32Array): number => {
    const [first] = test;
    if (!first) return NaN;
    return scoreTracks(logits, first.labels, first.tracks.of, first.labelNames.length, 'single').accuracy;
  };
  for (const [v, id] of VIEWS.entries()) {
    const [known, held, unseen] = [train[v], validation[v], test[v]];
    if (!known || !held || !unseen) continue;
    const own = await trainPrototypeNetwork(known, held, base, { signal });
    add(`${id} alone`, accuracy(own.network.logits(unseen.features, unseen.count)));
    const scale = await standardisationOf(known.features, known.dim, signal);
    const scaled = (set: LabelledWindows): LabelledWindows => ({
      ...set,
      features: standardise(set.features, scale),
    });
    const other = await trainPrototypeNetwork(scaled(known), scaled(held), base, { signal });
    add(`${id} alone, standardised`, accuracy(other.network.logits(scaled(unseen).features, unseen.count)));
  }
  for (const [name, choice] of Object.entries(methods)) {
    const { network } = await trainViews(train, validation, { ...base, ...choice }, { signal });
    const { windowLogits } = network.classify(
      test.map(({ features }) => features),
      test[0]?.count ?? 0,
    );
    add(name, accuracy(windowLogits));
  }
}

function splitOf([set]: readonly LabelledWindows[], seed: number): Map<string, Part> {
  if (!set) return new Map();
  const width = set.labelNames.length;
  const pooled = poolTracks(set);
  const items = set.tracks.ids.map((id, track) => ({
    id,
    group: set.tracks.groups[track] ?? id,
    label: pooled.labels.subarray(track * width, (track + 1) * width).indexOf(1),
  }));
  return splitTracks(items, SHARES, seed);
}
