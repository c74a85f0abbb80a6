import { NumericError } from '../../numerics/errors.ts';
import { labelReport, type LabelReport } from './label-report.ts';
import { rankingMetrics, type RankingMetrics } from './ranking.ts';
import { at } from '../../numerics/vectors.ts';

/** Multilabel scores in 0..1; every undefined ratio counts as 0 (golden/multilabel/SPEC.md §8). */
export interface MultilabelMetrics {
  /** Share of wrong cells. Lower is better. */
  hammingLoss: number;
  /** Share of rows whose whole labelset is right. */
  exactMatch: number;
  /** Mean over rows of |T∩P| / |T∪P| (jaccard, samples). */
  accuracy: number;
  precisionSamples: number;
  recallSamples: number;
  f1Samples: number;
  /** Micro: over all cells of all labels together. */
  precisionMicro: number;
  recallMicro: number;
  f1Micro: number;
  /** Macro: plain mean over all labels; a label absent from truth and prediction adds 0. */
  precisionMacro: number;
  recallMacro: number;
  f1Macro: number;
  /** Weighted: mean over the labels by how many rows truly bear them. */
  precisionWeighted: number;
  recallWeighted: number;
  f1Weighted: number;
  jaccardMicro: number;
  jaccardMacro: number;
  jaccardWeighted: number;
  /** Label-ranking loss fed the hard 0/1 predictions as scores. Lower is better. */
  rankingLossHard: number;
}

const ratio = (a: number, b: number): number => (b > 0 ? a / b : 0);

/**
 * Scores of 0/1 predictions and, where label scores are given, of the ranking they make. Equal to scikit-learn's
 * figures with `zero_division=0`.
 * @param truth `[count, labels]` · @param predicted `[count, labels]` · @param scores `[count, labels]`, finite
 * @throws NumericError `empty` without rows or labels, `shape` when sizes disagree.
 */
export function multilabelMetrics(
  truth: Uint8Array,
  predicted: Uint8Array,
  count: number,
  labels: number,
): MultilabelMetrics;
export function multilabelMetrics(
  truth: Uint8Array,
  predicted: Uint8Array,
  count: number,
  labels: number,
  scores: Float64Array,
): MultilabelMetrics & RankingMetrics;
export function multilabelMetrics(
  truth: Uint8Array,
  predicted: Uint8Array,
  count: number,
  labels: number,
  scores?: Float64Array,
): MultilabelMetrics | (MultilabelMetrics & RankingMetrics) {
  checkSizes(truth, predicted, count, labels);
  const hard = {
    ...bySample(truth, predicted, count, labels),
    ...byLabel(labelReport(truth, predicted, count, labels)),
  };
  return scores === undefined ? hard : { ...hard, ...rankingMetrics(truth, scores, count, labels) };
}

/**
 * Figures of every label by itself.
 * @param names one name per label, in column order.
 * @throws NumericError as {@link multilabelMetrics}.
 */
export function perLabelReport(
  truth: Uint8Array,
  predicted: Uint8Array,
  count: number,
  names: readonly string[],
): (LabelReport & { label: string })[] {
  checkSizes(truth, predicted, count, names.length);
  return labelReport(truth, predicted, count, names.length).map((report, l) => ({
    label: names[l] ?? '',
    ...report,
  }));
}

function checkSizes(truth: Uint8Array, predicted: Uint8Array, count: number, labels: number): void {
  if (count < 1 || labels < 1)
    throw new NumericError('empty', 'There is nothing to score.', 'Give at least one row and one label.');
  if (truth.length !== count * labels || predicted.length !== count * labels)
    throw new NumericError('shape', 'Truth and prediction differ in size.', 'Predict every test row.');
}

type SampleMetrics = Pick<
  MultilabelMetrics,
  | 'hammingLoss'
  | 'exactMatch'
  | 'accuracy'
  | 'precisionSamples'
  | 'recallSamples'
  | 'f1Samples'
  | 'rankingLossHard'
>;

function bySample(truth: Uint8Array, predicted: Uint8Array, count: number, labels: number): SampleMetrics {
  let [wrong, exact, accuracy, precision, recall, f1, ranking] = [0, 0, 0, 0, 0, 0, 0];
  for (let row = 0; row < count; row++) {
    let [t, p, hit] = [0, 0, 0];
    for (let i = row * labels; i < (row + 1) * labels; i++) {
      t += at(truth, i);
      p += at(predicted, i);
      hit += at(truth, i) & at(predicted, i);
    }
    const misses = t + p - 2 * hit;
    wrong += misses;
    if (misses === 0) exact++;
    accuracy += ratio(hit, t + p - hit);
    precision += ratio(hit, p);
    recall += ratio(hit, t);
    f1 += ratio(2 * hit, t + p);
    const irrelevant = labels - t;
    // Badly ordered pairs: every pair of a missed relevant label, and found relevant × wrongly predicted ones.
    ranking += ratio((t - hit) * irrelevant + hit * (p - hit), t * irrelevant);
  }
  return {
    hammingLoss: wrong / (count * labels),
    exactMatch: exact / count,
    accuracy: accuracy / count,
    precisionSamples: precision / count,
    recallSamples: recall / count,
    f1Samples: f1 / count,
    rankingLossHard: ranking / count,
  };
}

function byLabel(reports: readonly LabelReport[]): Omit<MultilabelMetrics, keyof SampleMetrics> {
  const sum = (value: (report: LabelReport) => number): number =>
    reports.reduce((total, report) => total + value(report), 0);
  const [hits, support, predicted] = [sum((r) => r.hits), sum((r) => r.support), sum((r) => r.predicted)];
  const macro = (value: (report: LabelReport) => number): number => sum(value) / reports.length;
  const weighted = (value: (report: LabelReport) => number): number =>
    ratio(
      sum((report) => report.support * value(report)),
      support,
    );
  return {
    precisionMicro: ratio(hits, predicted),
    recallMicro: ratio(hits, support),
    f1Micro: ratio(2 * hits, support + predicted),
    precisionMacro: macro((r) => r.precision),
    recallMacro: macro((r) => r.recall),
    f1Macro: macro((r) => r.f1),
    precisionWeighted: weighted((r) => r.precision),
    recallWeighted: weighted((r) => r.recall),
    f1Weighted: weighted((r) => r.f1),
    jaccardMicro: ratio(hits, support + predicted - hits),
    jaccardMacro: macro((r) => r.jaccard),
    jaccardWeighted: weighted((r) => r.jaccard),
  };
}
