import { metricDescriptions } from '../../../models/evaluation/metrics/catalogue.ts';
import type { Reduction } from '../../api/reductions.ts';
import type { Recommendation, RecommendedSet, Study } from '../../api/studies.ts';
import { fullValues, requireValues, valuesOf, type Question } from './question.ts';

/**
 * The smallest reduced set of a study that costs no more than is allowed. Every other split chooses and those between judge,
 * since the smallest of many sets that looks good enough looks better than it is where it was chosen; with a single split
 * the same rows do both. Reductions that are not scored on every split yet are left out.
 * @param lostLabels names of the labels that no prototype of a reduction bears
 * @param allowed loss against the whole training data, in the metric's own unit
 * @throws EngineError `bad-input` for a metric that was not measured
 */
export function recommend(
  study: Study,
  reductions: readonly Reduction[],
  lostLabels: (reductionId: string) => string[],
  { allowed, ...question }: Question & { allowed: number },
): Recommendation {
  const whole = requireValues(fullValues(study, question), question);
  const sign = metricDescriptions.find(({ id }) => id === question.metric)?.lowerIsBetter === true ? -1 : 1;
  const independent = whole.length > 1;
  const mean = (values: readonly number[], judging: boolean): number => {
    const own = values.filter((_, split) => !independent || split % 2 === (judging ? 1 : 0));
    return own.reduce((sum, value) => sum + value, 0) / own.length;
  };
  const sets = reductions.flatMap((reduction): RecommendedSet[] => {
    const values = reduction.noise === question.noise ? valuesOf(reduction.scores, question) : undefined;
    if (values?.length !== whole.length) return [];
    const lossOf = (judging: boolean): number => sign * (mean(whole, judging) - mean(values, judging));
    const lost = lostLabels(reduction.id);
    return [
      {
        ...{ reductionId: reduction.id, name: reduction.name, prototypes: reduction.prototypeRows },
        size: reduction.sizes.reduce((sum, size) => sum + size, 0) / reduction.sizes.length,
        chosenLoss: lossOf(false),
        ...{ value: mean(values, true), loss: lossOf(true) },
        ...{ lostLabels: lost, labels: reduction.labels.length },
        within: lossOf(false) <= allowed && lost.length < reduction.labels.length,
      },
    ];
  });
  sets.sort((a, b) => a.size - b.size || a.chosenLoss - b.chosenLoss);
  return {
    whole: mean(whole, true),
    independent,
    chosen: sets.find(({ within }) => within)?.reductionId ?? null,
    sets,
  };
}
