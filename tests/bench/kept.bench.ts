/**
 * Which network of a training run is best kept: share of right answers (several labels: micro F1) on test tracks that no
 * rule saw, with the defaults of the product. ARCHETONE_BENCH_TUNING names the collections that the rule is chosen on,
 * ARCHETONE_BENCH_REPORT those that only report it, with colons between them: folders with a folder per class (or whose
 * files begin with it), or ARFF data sets of several labels.
 */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { readDataset } from '../../models/datasets/index.ts';
import type { LabelledWindows } from '../../models/embeddings/labelled-vectors.ts';
import { poolTracks } from '../../models/embeddings/pooling.ts';
import { selectTracks, withLabels } from '../../models/embeddings/tracks.ts';
import { meanOf, spreadOf } from '../../models/benchmarks/summary.ts';
import { scoreTracks } from '../../models/evaluation/metrics/track-scores.ts';
import { splitTracks, type Part } from '../../models/evaluation/splits/holdout.ts';
import { keepRules, type KeepRule } from '../../models/pecmae/kept.ts';
import { defaultTrainParameters, trainPrototypeNetwork } from '../../models/pecmae/trainer.ts';
import { embedFolder } from './mistakes-collection.ts';

const SEEDS = [1, 2, 3, 4, 5];
const LEAST_TRACKS = 5;
const SHARES = { train: 0.7, validation: 0.1, test: 0.2 };
const signal = new AbortController().signal;
const rules = Object.keys(keepRules) as KeepRule[];
type Task = 'single' | 'multi';

export async function run(): Promise<void> {
  for (const [use, variable] of [
    ['chosen on', 'ARCHETONE_BENCH_TUNING'],
    ['reported on', 'ARCHETONE_BENCH_REPORT'],
  ] as const) {
    const names = (process.env[variable] ?? '').split(':').filter(Boolean);
    if (names.length === 0) console.log(`skipped: name collections in ${variable}`);
    const all: Record<KeepRule, number[]> = { loss: [], accuracy: [], smoothed: [], last: [] };
    for (const name of names) {
      const [set, task] = await collection(name);
      const scores = await scoresOf(set, task);
      const figures = rules.map((rule) => {
        all[rule].push(meanOf(scores[rule]));
        const { mean, sd } = spreadOf(scores[rule].map((score) => 100 * score));
        return `${rule} ${mean.toFixed(1)} ± ${sd.toFixed(1)}`;
      });
      console.log(
        `${use} ${basename(name)}, ${String(set.tracks.ids.length)} tracks, ${String(set.labelNames.length)} ${task}: ${figures.join(' · ')}`,
      );
    }
    if (names.length > 0)
      console.log(
        `${use} ${String(names.length)}, mean: ${rules.map((rule) => `${rule} ${(100 * meanOf(all[rule])).toFixed(2)}`).join(' · ')}`,
      );
  }
}

async function collection(name: string): Promise<[LabelledWindows, Task]> {
  if (/\.arff$/.test(name)) {
    const xml = name.replace(/(-train|-test)?\.arff$/, '.xml');
    const read = await readDataset(name, existsSync(xml) ? { labels: { kind: 'xml', path: xml } } : {});
    const ids = Array.from({ length: read.count }, (_, row) => String(row));
    const tracks = { of: Int32Array.from(ids.keys()), ids, groups: ids };
    const { count, dim, labels, labelNames } = read;
    return [
      frequent({ count, dim, labels, labelNames, features: Float32Array.from(read.features), tracks }),
      'multi',
    ];
  }
  const set = await embedFolder(name, (path) =>
    [path.includes('/') ? path.split('/')[0] : path.split('_')[0]].flatMap((label) => label ?? []),
  );
  return [frequent(set), 'single'];
}

/** Without labels that few tracks bear, and tracks that bear no other. */
function frequent(set: LabelledWindows): LabelledWindows {
  const { labels, labelNames: names, tracks } = poolTracks(set);
  const bears = (track: number, label: number): boolean => labels[track * names.length + label] === 1;
  const kept = names.flatMap((_, label) =>
    [...tracks.ids.keys()].filter((track) => bears(track, label)).length >= LEAST_TRACKS ? [label] : [],
  );
  return selectTracks(
    withLabels(
      set,
      kept.map((label) => names[label] ?? ''),
    ),
    (track) => kept.some((label) => bears(track, label)),
  );
}

async function scoresOf(set: LabelledWindows, task: Task): Promise<Record<KeepRule, number[]>> {
  const scores: Record<KeepRule, number[]> = { loss: [], accuracy: [], smoothed: [], last: [] };
  const width = set.labelNames.length;
  const pooled = poolTracks(set);
  const items = set.tracks.ids.map((id, track) => ({
    id,
    group: set.tracks.groups[track] ?? id,
    label: pooled.labels.subarray(track * width, (track + 1) * width).indexOf(1),
  }));
  for (const seed of SEEDS) {
    const parts = splitTracks(items, SHARES, seed);
    const part = (wanted: Part): LabelledWindows =>
      selectTracks(set, (track) => parts.get(set.tracks.ids[track] ?? '') === wanted);
    const [train, validation, test] = [part('train'), part('validation'), part('test')];
    for (const keep of rules) {
      const parameters = { ...defaultTrainParameters, seed, task };
      const { network } = await trainPrototypeNetwork(train, validation, parameters, { signal, keep });
      const logits = Float32Array.from(network.logits(test.features, test.count));
      const { accuracy, f1Micro } = scoreTracks(logits, test.labels, test.tracks.of, width, task);
      scores[keep].push(f1Micro ?? accuracy);
    }
  }
  return scores;
}
