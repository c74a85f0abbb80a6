import { metricDescriptions } from '../../../models/evaluation/metrics/catalogue.ts';
import { friedman, holm, nemenyi, wilcoxon } from '../../../models/evaluation/statistics/index.ts';
import type { Reduction } from '../../api/reductions.ts';
import type { KnnClassifierId, KnnScore, Study, StudyStatistics } from '../../api/studies.ts';
import { EngineError } from '../../api/errors.ts';

/** What is compared: one metric of one classifier at one level of noise. */
export interface Question {
  metric: string;
  classifier: KnnClassifierId;
  k: number;
  noise: number;
}

/**
 * Compares the reductions of a study with each other and with the whole training data; the splits are the blocks.
 * Reductions that are not scored on every split yet are left out.
 * @throws EngineError `bad-input` for a metric that was not measured
 */
export function studyStatistics(
  study: Study,
  reductions: readonly Reduction[],
  question: Question,
): StudyStatistics {
  const info = metricDescriptions.find(({ id }) => id === question.metric);
  const full = study.full.find(({ noise }) => noise === question.noise);
  const reference = full && valuesOf(full.scores, question);
  if (!info || !reference)
    throw new EngineError(
      'bad-input',
      `The study has no ${question.metric} of ${question.classifier} with k = ${question.k} and ${question.noise} % noise.`,
      'Choose among what was measured.',
    );
  const entries = [
    { reductionId: null, values: reference },
    ...reductions.flatMap((reduction) => {
      const values = reduction.noise === question.noise ? valuesOf(reduction.scores, question) : undefined;
      return values?.length === reference.length ? [{ reductionId: reduction.id, values }] : [];
    }),
  ];
  const splits = reference.length;
  const several = splits > 1 && entries.length > 1;
  const test = several
    ? friedman(
        reference.map((_, split) => entries.map(({ values }) => values[split] ?? NaN)),
        { best: info.lowerIsBetter ? 'lowest' : 'highest' },
      )
    : null;
  const pValues = several
    ? holm(entries.slice(1).map(({ values }) => wilcoxon(values, reference).pValue))
    : [];
  const better = info.lowerIsBetter ? -1 : 1;
  const listed = entries.map(({ reductionId, values }, i) => ({
    reductionId,
    ...spread(values),
    rank: test?.meanRanks[i] ?? NaN,
    pValue: i === 0 ? null : (pValues[i - 1] ?? null),
  }));
  listed.sort((a, b) => (test ? a.rank - b.rank : better * (b.mean - a.mean)));
  return {
    splits,
    entries: test ? listed : listed.map((entry, i) => ({ ...entry, rank: i + 1 })),
    friedman: test && {
      pValue: test.imanDavenport.pValue,
      criticalDifference: nemenyi(test).criticalDifference,
    },
  };
}

function valuesOf(scores: readonly KnnScore[], { metric, classifier, k }: Question): number[] | undefined {
  return scores.find((score) => score.classifier === classifier && score.k === k)?.metrics[metric];
}

function spread(values: readonly number[]): { mean: number; deviation: number } {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: n > 1 ? Math.sqrt(squares / (n - 1)) : 0 };
}
