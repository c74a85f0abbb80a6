import { afterAll, describe, expect, it } from 'vitest';
import {
  applyMlKnn,
  cutNearest,
  multilabelMetrics,
  nearestRows,
  voteLabels,
  voteLabelsets,
  type MultilabelSet,
} from '../../models/knn/index.ts';
import { Pacer } from '../../models/knn/pacer.ts';
import { RowDistances, reduce, toMultilabelSet } from '../../models/reduction/index.ts';
import { chenPath } from '../../models/reduction/chen.ts';
import { prototypesAt } from '../../models/reduction/paths.ts';
import { targetSize } from '../../models/reduction/splitPath.ts';
import {
  goldenFolder,
  metricColumns,
  pickLabels,
  readGolden,
  readMetrics,
  readParts,
  readPlainMrhc,
  toLabelLists,
  unpackPredictions,
  type Golden,
  type GoldenConfig,
} from './multilabelSupport.ts';

const datasets = [
  'flags',
  'foodtruck',
  'emotions',
  'birds',
  'genbase',
  'yeast',
  'enron',
  'corel5k@1000',
  'bibtex@1000',
];
// Minutes, not because a set takes them but because the machine may be doing something else.
const patience = 600_000;
const neighbourCounts = [1, 3, 5, 7];
const signal = new AbortController().signal;

interface Line {
  dataset: string;
  configurations: number;
  predictions: number;
  metrics: number;
  seconds: number;
}
const table: Line[] = [];

interface Reduced {
  clusters: ArrayLike<number>[];
  labelsets: Uint8Array;
  prototypes: Float64Array;
}

/** Our prototypes for a golden configuration; null for methods this product leaves out on purpose. */
type Reducer = (config: GoldenConfig) => Promise<Reduced | null>;

async function makeReducer(train: MultilabelSet, distances: RowDistances): Promise<Reducer> {
  const pacer = new Pacer(signal);
  const path = await chenPath(train, targetSize(90, train.count), pacer, undefined, distances);
  return async ({ method, param }) => {
    if (method === 'MChen' || method === 'MRSP1') return prototypesAt(path, train, param, method, pacer);
    if (method !== 'MRSP3' && method !== 'MRSP2fix') return null;
    const ours = method === 'MRSP3' ? method : 'MRSP2';
    const result = await reduce(ours, train, ours === 'MRSP2' ? { p: param } : {}, {
      seed: 1,
      signal,
      distances,
    });
    return { clusters: result.clusters, labelsets: result.labelsets, prototypes: result.exactPrototypes };
  };
}

/** Compared as text and in one go: hundreds of thousands of single expectations would take longer than the work. */
function expectSameReduction(
  reduced: Reduced,
  expected: Pick<GoldenConfig, 'clusters' | 'labelsets' | 'proto_sum' | 'prototypes_f32_b64'>,
  width: number,
  dim: number,
): void {
  const clusters = reduced.clusters.map((rows) => Array.from(rows));
  if (JSON.stringify(clusters) !== JSON.stringify(expected.clusters))
    expect(clusters).toEqual(expected.clusters);
  const labelsets = toLabelLists(reduced.labelsets, width);
  if (JSON.stringify(labelsets) !== JSON.stringify(expected.labelsets))
    expect(labelsets).toEqual(expected.labelsets);
  const sums = clusters.map((_, i) =>
    reduced.prototypes.subarray(i * dim, (i + 1) * dim).reduce((sum, value) => sum + value, 0),
  );
  const golden = expected.proto_sum ?? [];
  expect(golden.length).toBe(sums.length);
  const off = sums.filter(
    (sum, i) => !(Math.abs(sum - (golden[i] ?? NaN)) <= 1e-9 * Math.max(1, Math.abs(sum))),
  );
  expect(off).toEqual([]);
  if (expected.prototypes_f32_b64 !== undefined) {
    const ours = Buffer.from(Float32Array.from(reduced.prototypes).buffer);
    expect(ours.equals(Buffer.from(expected.prototypes_f32_b64, 'base64'))).toBe(true);
  }
}

describe.skipIf(goldenFolder === null)('multilabel reduction against the reference outputs', () => {
  const folder = goldenFolder ?? '';

  afterAll(() => {
    console.table(table);
  });

  it.each(datasets)(
    '%s: clusters, order, labelsets, prototypes, predictions and metrics of every configuration',
    async (dataset) => {
      const started = performance.now();
      const line: Line = { dataset, configurations: 0, predictions: 0, metrics: 0, seconds: 0 };
      const metrics = readMetrics(folder, dataset);
      let parts: { train: MultilabelSet; test: MultilabelSet } | null = null;
      let distances: RowDistances | null = null;
      for (const noise of [0, 20, 40]) {
        const golden = readGolden(folder, dataset, noise);
        parts ??= await readParts(folder, dataset, golden);
        expect([parts.train.count, parts.test.count]).toEqual([golden.n_train, golden.n_test]);
        const width = golden.n_labels;
        const train = { ...parts.train, labels: pickLabels(parts.train.labels, width, golden.label_perm) };
        distances ??= new RowDistances(train.features, train.count, train.dim);
        const reducer = await makeReducer(train, distances);
        for (const config of golden.configs) {
          const reduced = await reducer(config);
          if (!reduced) continue;
          expectSameReduction(reduced, config, width, train.dim);
          line.configurations++;
          // Clusters are compared for every configuration; scores of the large sets where most is to be learnt.
          const large = train.count * train.dim > 150_000;
          const telling =
            config.method === 'MChen' && config.pred !== undefined && (noise === 0 || config.param === 10);
          if (large && !telling) continue;
          const set = {
            ...train,
            count: reduced.clusters.length,
            features: reduced.prototypes,
            labels: reduced.labelsets,
          };
          await scoreAll(set, parts.test, config, golden, noise, metrics, line);
        }
      }
      line.seconds = Math.round((performance.now() - started) / 100) / 10;
      table.push(line);
    },
    patience,
  );

  // Dozens of k-means over a thousand wide 0/1 rows take minutes; the guard and the empty clusters occur here too.
  it.each(['flags', 'foodtruck', 'emotions', 'birds', 'yeast'])(
    '%s: MRHC with the textbook k-means and the guard',
    async (dataset) => {
      let parts: { train: MultilabelSet; test: MultilabelSet } | null = null;
      for (const run of readPlainMrhc(folder, dataset)) {
        const golden = readGolden(folder, dataset, run.noise);
        parts ??= await readParts(folder, dataset, golden);
        const labels = pickLabels(parts.train.labels, golden.n_labels, golden.label_perm);
        const train = { ...parts.train, labels };
        const result = await reduce('MRHC', train, {}, { seed: 1, signal });
        const reduced = {
          clusters: result.clusters,
          labelsets: result.labelsets,
          prototypes: result.exactPrototypes,
        };
        expectSameReduction(reduced, run, golden.n_labels, train.dim);
        expect(toMultilabelSet(result, train).count).toBe(run.clusters.length);
      }
    },
    patience,
  );
});

async function scoreAll(
  train: MultilabelSet,
  test: MultilabelSet,
  config: GoldenConfig,
  golden: Golden,
  noise: number,
  metrics: Map<string, Record<string, number>>,
  line: Line,
): Promise<void> {
  const width = golden.n_labels;
  const nearest = await nearestRows(train, test, { k: 7 });
  // ML-kNN searches the reduced set for itself: the costliest part, so on wide sets where predictions are on file.
  const own =
    config.pred !== undefined || train.count * train.dim < 200_000
      ? await nearestRows(train, train, { k: 7 })
      : null;
  for (const k of neighbourCounts) {
    const rows = cutNearest(nearest, k);
    const predictions: Record<string, Uint8Array> = {
      LPkNN: voteLabelsets(train, rows),
      BRkNNa: voteLabels(train, rows, 'a'),
      BRkNNb: voteLabels(train, rows, 'b'),
      ...(own && { MLkNN: applyMlKnn(train, cutNearest(own, k), rows) }),
    };
    for (const [classifier, predicted] of Object.entries(predictions)) {
      const packed = config.pred?.[`${classifier}.${k}`];
      if (packed !== undefined) {
        const tied = new Set(config.tie_rows?.[String(k)] ?? []);
        const expected = unpackPredictions(packed, test.count, width);
        const differing = Array.from({ length: test.count }, (_, row) => row).filter(
          (row) =>
            !tied.has(row) &&
            Buffer.compare(
              predicted.subarray(row * width, (row + 1) * width),
              expected.subarray(row * width, (row + 1) * width),
            ) !== 0,
        );
        expect(differing, `${config.method} ${config.param} ${classifier} k=${k}`).toEqual([]);
        line.predictions += test.count - tied.size;
      }
      const expected = metrics.get([noise, config.method, config.param, classifier, k].join());
      if (!expected) continue;
      const ours = multilabelMetrics(test.labels, predicted, test.count, width);
      const off = Object.entries(metricColumns).filter(
        ([column, name]) => !(Math.abs(ours[name] - (expected[column] ?? NaN)) < 6e-7),
      );
      expect(off, `N${noise} ${config.method} ${config.param} ${classifier} k=${k}`).toEqual([]);
      line.metrics++;
    }
  }
}
