import { applyMlKnn, cutNearest, nearestRows, voteLabels, voteLabelsets } from '../../models/knn/index.ts';
import { multilabelMetrics } from '../../models/evaluation/metrics/multilabel.ts';
import type { LabelledVectors } from '../../models/embeddings/labelled-vectors.ts';
import type { NearestRows } from '../../models/neighbours/brute.ts';
import { metricColumns, toLabelLists, unpackPredictions, type GoldenConfig } from './multilabelSupport.ts';

/** A reduced set in the terms of the reference outputs. */
export interface Reduced {
  clusters: ArrayLike<number>[];
  labelsets: Uint8Array;
  prototypes: Float64Array;
}

/** How one method compares on one data set. */
export interface Tally {
  configurations: number;
  /** Configurations whose clusters, their order, labelsets or vectors differ. */
  differing: number;
  /** Largest difference of a prototype's sum of components, relative to max(1, |sum|). */
  worstVector: number;
  /** Predicted rows compared (ties left out), and how many differ. */
  predictions: number;
  wrongPredictions: number;
  /** Rows of the metrics file compared, and the largest difference of a figure in them. */
  metrics: number;
  worstMetric: number;
}

export function newTally(): Tally {
  return {
    configurations: 0,
    differing: 0,
    worstVector: 0,
    predictions: 0,
    wrongPredictions: 0,
    metrics: 0,
    worstMetric: 0,
  };
}

/** Compares clusters in order, labelsets and vectors; true when nothing differs. */
export function compareReduction(
  tally: Tally,
  ours: Reduced,
  expected: Pick<GoldenConfig, 'clusters' | 'labelsets' | 'proto_sum' | 'prototypes_f32_b64'>,
  width: number,
  dim: number,
): boolean {
  const clusters = ours.clusters.map((rows) => Array.from(rows));
  // Compared as text and in one go: hundreds of thousands of single expectations would take longer than the work.
  let same = JSON.stringify(clusters) === JSON.stringify(expected.clusters);
  same &&= JSON.stringify(toLabelLists(ours.labelsets, width)) === JSON.stringify(expected.labelsets);
  tally.configurations++;
  if (same && expected.proto_sum) {
    for (const [i, sum] of expected.proto_sum.entries()) {
      const own = ours.prototypes.subarray(i * dim, (i + 1) * dim).reduce((a, b) => a + b, 0);
      const off = Math.abs(own - sum) / Math.max(1, Math.abs(sum));
      tally.worstVector = Math.max(tally.worstVector, off);
      same &&= off <= 1e-9;
    }
  }
  if (same && expected.prototypes_f32_b64 !== undefined) {
    const bytes = Buffer.from(Float32Array.from(ours.prototypes).buffer);
    same = bytes.equals(Buffer.from(expected.prototypes_f32_b64, 'base64'));
  }
  if (!same) tally.differing++;
  return same;
}

/** What is known about one training set and how it is to be compared. */
export interface ScoreInput {
  train: LabelledVectors;
  test: LabelledVectors;
  config: Pick<GoldenConfig, 'pred' | 'tie_rows'>;
  /** Row of the metrics file for a classifier and k, if there is one. */
  metricsOf: (classifier: string, k: number) => Record<string, number> | undefined;
}

const neighbourCounts = [1, 3, 5, 7];

/** Compares the predictions on file and every metric of four classifiers trained on a set. */
export async function compareScores(tally: Tally, input: ScoreInput): Promise<void> {
  const { train, test } = input;
  const nearest = await nearestRows(train, test, { k: 7 });
  const own = await nearestRows(train, train, { k: 7 });
  for (const k of neighbourCounts) {
    const rows = cutNearest(nearest, k);
    const predicted = predictAll(train, rows, cutNearest(own, k));
    for (const [classifier, labels] of Object.entries(predicted)) {
      comparePredictions(tally, input, labels, classifier, k);
      compareMetrics(tally, input, labels, classifier, k);
    }
  }
}

function predictAll(train: LabelledVectors, rows: NearestRows, own: NearestRows): Record<string, Uint8Array> {
  return {
    LPkNN: voteLabelsets(train, rows),
    BRkNNa: voteLabels(train, rows, 'a'),
    BRkNNb: voteLabels(train, rows, 'b'),
    MLkNN: applyMlKnn(train, own, rows),
  };
}

function comparePredictions(
  tally: Tally,
  { test, config }: ScoreInput,
  labels: Uint8Array,
  classifier: string,
  k: number,
): void {
  const packed = config.pred?.[`${classifier}.${k}`];
  if (packed === undefined) return;
  const width = test.labelNames.length;
  const expected = unpackPredictions(packed, test.count, width);
  const tied = new Set(config.tie_rows?.[String(k)] ?? []);
  for (let row = 0; row < test.count; row++) {
    if (tied.has(row)) continue;
    tally.predictions++;
    const range = [row * width, (row + 1) * width] as const;
    if (Buffer.compare(labels.subarray(...range), expected.subarray(...range)) !== 0)
      tally.wrongPredictions++;
  }
}

function compareMetrics(
  tally: Tally,
  { test, metricsOf }: ScoreInput,
  labels: Uint8Array,
  classifier: string,
  k: number,
): void {
  const expected = metricsOf(classifier, k);
  if (!expected) return;
  const ours = multilabelMetrics(test.labels, labels, test.count, test.labelNames.length);
  tally.metrics++;
  for (const [column, name] of Object.entries(metricColumns)) {
    const off = Math.abs(ours[name] - (expected[column] ?? NaN));
    tally.worstMetric = Math.max(tally.worstMetric, Number.isNaN(off) ? Infinity : off);
  }
}
