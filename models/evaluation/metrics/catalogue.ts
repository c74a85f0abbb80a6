import type { MultilabelMetrics } from './multilabel.ts';
import type { RankingMetrics } from './ranking.ts';

type MetricId = keyof MultilabelMetrics | keyof RankingMetrics;

/** What a metric is called and means, for people. */
export interface MetricDescription {
  id: MetricId;
  title: string;
  hint: string;
  lowerIsBetter: boolean;
}

/** Every metric of labelsets and of label scores, in the order they are offered; a new metric must be described here. */
const metrics: Record<MetricId, Omit<MetricDescription, 'id'>> = {
  hammingLoss: lower('Hamming loss', 'Share of wrong label decisions.'),
  f1Samples: higher('F1 (samples)', 'Mean F1 over rows; a row without labels counts 0.'),
  f1Macro: higher('F1 (macro)', 'Mean F1 over labels: rare labels count as much as frequent ones.'),
  f1Micro: higher('F1 (micro)', 'F1 over all label decisions together.'),
  f1Weighted: higher('F1 (weighted)', 'Mean F1 over labels by how many rows bear them.'),
  exactMatch: higher('Exact match', 'Share of rows whose whole labelset is right.'),
  accuracy: higher('Accuracy (Jaccard, samples)', 'Mean over rows of right labels among true or given ones.'),
  jaccardMicro: higher('Jaccard (micro)', 'Right label decisions among true or given ones, all together.'),
  jaccardMacro: higher('Jaccard (macro)', 'Jaccard of every label, mean over labels.'),
  jaccardWeighted: higher('Jaccard (weighted)', 'Jaccard of every label, mean by how many rows bear it.'),
  precisionSamples: higher('Precision (samples)', 'Mean over rows of right labels among given ones.'),
  recallSamples: higher('Recall (samples)', 'Mean over rows of right labels among true ones.'),
  precisionMicro: higher('Precision (micro)', 'Right labels among given ones, all together.'),
  recallMicro: higher('Recall (micro)', 'Right labels among true ones, all together.'),
  precisionMacro: higher('Precision (macro)', 'Precision of every label, mean over labels.'),
  recallMacro: higher('Recall (macro)', 'Recall of every label, mean over labels.'),
  precisionWeighted: higher(
    'Precision (weighted)',
    'Precision of every label, mean by how many rows bear it.',
  ),
  recallWeighted: higher('Recall (weighted)', 'Recall of every label, mean by how many rows bear it.'),
  rankingLoss: lower('Ranking loss', 'Share of label pairs that the label scores put in the wrong order.'),
  oneError: lower('One-error', 'Share of rows whose best-scored label is wrong.'),
  coverage: lower('Coverage', 'Labels to go down the ranking until all true ones are met.'),
  averagePrecision: higher('Average precision', 'How far up the ranking the true labels are.'),
  rankingLossHard: lower(
    'Ranking loss of decisions',
    'Ranking loss fed the 0/1 decisions, as the published code does.',
  ),
};

/** The metrics with their descriptions, in that order. */
export const metricDescriptions: readonly MetricDescription[] = Object.entries(metrics).map(
  ([id, description]) => ({ id: id as MetricId, ...description }),
);

function lower(title: string, hint: string): Omit<MetricDescription, 'id'> {
  return { title, hint: `${hint} Smaller is better.`, lowerIsBetter: true };
}

function higher(title: string, hint: string): Omit<MetricDescription, 'id'> {
  return { title, hint, lowerIsBetter: false };
}
