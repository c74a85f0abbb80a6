import { metricDescriptions } from '../../../models/evaluation/metrics/catalogue.ts';
import type { KnnClassifierId, KnnScore, Study } from '../../api/studies.ts';
import { EngineError } from '../../api/errors.ts';

/** What the reductions of a study are asked for: one metric of one classifier at one level of noise. */
export interface Question {
  metric: string;
  classifier: KnnClassifierId;
  k: number;
  noise: number;
}

/** The values asked for, one per split; undefined where they were not measured. */
export function valuesOf(
  scores: readonly KnnScore[],
  { metric, classifier, k }: Question,
): number[] | undefined {
  return scores.find((score) => score.classifier === classifier && score.k === k)?.metrics[metric];
}

/** Those of the whole training data. */
export function fullValues(study: Pick<Study, 'full'>, question: Question): number[] | undefined {
  const full = study.full.find(({ noise }) => noise === question.noise);
  return full && valuesOf(full.scores, question);
}

/** @throws EngineError `bad-input` for what was not measured */
export function requireValues(values: number[] | undefined, question: Question): number[] {
  if (values && metricDescriptions.some(({ id }) => id === question.metric)) return values;
  throw new EngineError(
    'bad-input',
    `The study has no ${question.metric} of ${question.classifier} with k = ${question.k} and ${question.noise} % noise.`,
    'Choose among what was measured.',
  );
}
