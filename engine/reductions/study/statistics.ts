import { metricDescriptions } from '../../../models/evaluation/metrics/catalogue.ts';
import { friedman, holm, nemenyi, wilcoxon } from '../../../models/evaluation/statistics/index.ts';
import type { Reduction } from '../../api/reductions.ts';
import type { Study, StudyStatistics } from '../../api/studies.ts';
import { fullValues, requireValues, valuesOf, type Question } from './question.ts';

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
  const reference = requireValues(fullValues(study, question), question);
  const lowerIsBetter = metricDescriptions.find(({ id }) => id === question.metric)?.lowerIsBetter ?? false;
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
        { best: lowerIsBetter ? 'lowest' : 'highest' },
      )
    : null;
  const pValues = several
    ? holm(entries.slice(1).map(({ values }) => wilcoxon(values, reference).pValue))
    : [];
  const better = lowerIsBetter ? -1 : 1;
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

function spread(values: readonly number[]): { mean: number; deviation: number } {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: n > 1 ? Math.sqrt(squares / (n - 1)) : 0 };
}
