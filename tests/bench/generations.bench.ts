/**
 * The two generations of prototype networks on the same splits: PECMAE's (prototypes drawn to windows of their class) and
 * APNet's (a two-sided loss, weights of channels). Share of right answers on test tracks, mean over five splits and seeds.
 * ARCHETONE_BENCH_VIEWS names collections, with colons between them, as for `views`; with ARCHETONE_BENCH_TUNING, shares of the
 * windows' side and λ are tried as well, on collections that are not reported.
 */
import { basename } from 'node:path';
import { spreadOf } from '../../models/benchmarks/summary.ts';
import { classOfTracks, selectTracks } from '../../models/embeddings/tracks.ts';
import type { LabelledWindows } from '../../models/embeddings/labelled-vectors.ts';
import { scoreTracks } from '../../models/evaluation/metrics/track-scores.ts';
import { splitTracks } from '../../models/evaluation/splits/holdout.ts';
import {
  defaultTrainParameters,
  trainPrototypeNetwork,
  type TrainParameters,
} from '../../models/pecmae/trainer.ts';
import { collectionInViews, frequentClasses } from './views-collection.ts';

const SEEDS = [1, 2, 3, 4, 5];
const SHARES = { train: 0.7, validation: 0.1, test: 0.2 };
/** Of the half 95 % interval of a mean of five, by Student's t. */
const T_OF_FIVE = 2.776;
const signal = new AbortController().signal;

type Change = Partial<TrainParameters>;

const generations: Record<string, Change> = {
  PECMAE: {},
  'channel weights alone': { channelWeights: 'learned' },
  'two-sided loss alone': { prototypeLoss: 'two-sided' },
  'APNet: both': { prototypeLoss: 'two-sided', channelWeights: 'learned' },
};

const tried: Record<string, Change> = Object.fromEntries(
  [0, 0.25, 0.5, 0.75].flatMap((coverage) =>
    [0.25, 0.5].map((lambda): [string, Change] => [
      `both, windows' side ${coverage}, λ ${lambda}`,
      { prototypeLoss: 'two-sided', channelWeights: 'learned', coverage, lambda },
    ]),
  ),
);

export async function run(): Promise<void> {
  const folders = (process.env['ARCHETONE_BENCH_VIEWS'] ?? '').split(':').filter(Boolean);
  if (folders.length === 0) console.log('skipped: name collections in ARCHETONE_BENCH_VIEWS');
  const methods = { ...generations, ...(process.env['ARCHETONE_BENCH_TUNING'] ? tried : {}) };
  for (const folder of folders) {
    const { views } = await collectionInViews(basename(folder), folder, ['compact']);
    const [view] = views;
    if (!view) continue;
    const set = frequentClasses(view.set);
    console.log(`${basename(folder)}: ${set.tracks.ids.length} tracks, ${set.labelNames.length} classes`);
    for (const [name, change] of Object.entries(methods)) {
      const before = process.cpuUsage();
      const runs = [];
      for (const seed of SEEDS) runs.push(await score(set, { ...defaultTrainParameters, ...change, seed }));
      const seconds = process.cpuUsage(before).user / 1e6 / SEEDS.length;
      const { mean, sd } = spreadOf(runs.map(({ accuracy }) => 100 * accuracy));
      const half = (T_OF_FIVE * sd) / Math.sqrt(SEEDS.length);
      const dead = runs.reduce((sum, run) => sum + run.dead, 0) / SEEDS.length;
      const near = runs.reduce((sum, run) => sum + run.near, 0) / SEEDS.length;
      console.log(
        `  ${name.padEnd(36)} ${mean.toFixed(1)} ± ${half.toFixed(1)}   dead ${(100 * dead).toFixed(1)} %   ` +
          `near ${near.toFixed(3)}   ${seconds.toFixed(1)} s   ${runs.map(({ accuracy }) => (100 * accuracy).toFixed(1)).join(' ')}`,
      );
    }
  }
}

/** Accuracy by test track, share of prototypes that are nearest to no training window, and the mean similarity of a prototype to its nearest one. */
async function score(set: LabelledWindows, parameters: TrainParameters) {
  const names = classOfTracks(set);
  const { ids, groups } = set.tracks;
  const items = ids.map((id, track) => ({
    ...{ id, group: groups[track] ?? id },
    label: set.labelNames.indexOf(names[track] ?? ''),
  }));
  const parts = splitTracks(items, SHARES, parameters.seed);
  const [train, validation, test] = (['train', 'validation', 'test'] as const).map((part) =>
    selectTracks(set, (track) => parts.get(ids[track] ?? '') === part),
  );
  if (!train || !validation || !test) throw new Error('a split has three parts');
  const { network } = await trainPrototypeNetwork(train, validation, parameters, { signal });
  const logits = network.logits(test.features, test.count);
  const { accuracy } = scoreTracks(logits, test.labels, test.tracks.of, set.labelNames.length, 'single');
  const K = network.prototypeCount;
  const similarities = network.similarities(train.features, train.count);
  const alive = new Set<number>();
  const nearest = new Float64Array(K);
  for (let row = 0; row < train.count; row++) {
    const own = similarities.subarray(row * K, (row + 1) * K);
    alive.add(own.indexOf(Math.max(...own)));
    own.forEach((s, k) => (nearest[k] = Math.max(nearest[k] ?? 0, s)));
  }
  return { accuracy, dead: 1 - alive.size / K, near: nearest.reduce((a, b) => a + b, 0) / K };
}
