import { knnClassifiers, predictManyKnn } from '../../../models/knn/index.ts';
import { multilabelMetrics, perLabelReport } from '../../../models/evaluation/metrics/multilabel.ts';
import type { LabelledVectors } from '../../../models/embeddings/labelled-vectors.ts';
import type { ReductionScore } from '../../api/reductions.ts';
import type { KnnClassifierId, KnnScore } from '../../api/studies.ts';

/**
 * Scores of every classifier × k that is trained on one set and asked about another. A training set of fewer than k
 * rows is asked for all of them: a small reduced set is a result, not an error. No test rows give no scores.
 * @throws NumericError; the signal's reason
 */
export async function scoreSet(
  training: LabelledVectors,
  test: LabelledVectors,
  { classifiers, k }: { classifiers: readonly KnnClassifierId[]; k: readonly number[] },
  signal: AbortSignal,
): Promise<KnnScore[]> {
  if (test.count === 0) return [];
  const possible = (asked: number): number => Math.min(asked, training.count);
  const ks = [...new Set(k.map(possible))];
  const cells = await predictManyKnn(classifiers, training, test, { ks, signal });
  return classifiers.flatMap((classifier) =>
    k.map((asked): KnnScore => {
      const cell = cells.find((item) => item.classifier === classifier && item.k === possible(asked));
      if (!cell) throw new Error(`no prediction of ${classifier} with k = ${asked}`);
      const { labels, scores } = cell.prediction;
      const L = test.labelNames.length;
      const metrics = multilabelMetrics(test.labels, labels, test.count, L, scores);
      return {
        classifier,
        k: asked,
        metrics: Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, [Number(value)]])),
        labelF1: perLabelReport(test.labels, labels, test.count, test.labelNames).map(({ f1 }) => f1),
      };
    }),
  );
}

/** Adds the scores of one more split to those of `done` splits before it. */
export function addSplit(before: readonly KnnScore[], next: readonly KnnScore[], done: number): KnnScore[] {
  if (done === 0) return [...next];
  return before.map((score, i) => {
    const more = next[i];
    if (more?.classifier !== score.classifier || more.k !== score.k)
      throw new Error('the splits of a study were scored with different classifiers');
    return {
      ...score,
      metrics: Object.fromEntries(
        Object.entries(score.metrics).map(([name, values]) => [
          name,
          [...values, ...(more.metrics[name] ?? [])],
        ]),
      ),
      labelF1: score.labelF1.map((mean, label) => (mean * done + (more.labelF1[label] ?? 0)) / (done + 1)),
    };
  });
}

/** Mean of the values of a metric over splits; NaN where there are none. */
export function meanOf(score: KnnScore, metric: string): number {
  const values = score.metrics[metric] ?? [];
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * The first of several scores in the short form that stands beside every reduction; null where nothing was held out.
 * @param rows of the training set
 */
export function summary([first]: readonly KnnScore[], rows: number): ReductionScore | null {
  if (!first) return null;
  return {
    classifier: knnClassifiers.find(({ name }) => name === first.classifier)?.title ?? first.classifier,
    k: Math.min(first.k, rows),
    hammingLoss: meanOf(first, 'hammingLoss'),
    exactMatch: meanOf(first, 'exactMatch'),
    f1Samples: meanOf(first, 'f1Samples'),
    f1Macro: meanOf(first, 'f1Macro'),
  };
}
