import type { LabelledWindows } from '../../models/embeddings/labelled-vectors.ts';
import { averagePrecision, rocAuc } from '../../models/evaluation/metrics/curves.ts';
import { keyOf, keyScore } from '../../models/evaluation/metrics/key.ts';
import { multilabelMetrics } from '../../models/evaluation/metrics/multilabel.ts';
import { meanAbsoluteError, r2 } from '../../models/evaluation/metrics/regression.ts';
import { classificationReport } from '../../models/evaluation/metrics/single-label.ts';
import type { Answers } from '../../models/probes/decide.ts';
import type { Targets } from '../../models/probes/ridge.ts';
import { absoluteMetric, targetMetric, type EvaluationTask } from '../api/evaluations.ts';

/** What is known of a cell once its probe has answered. */
export interface Scored {
  tested: number;
  /** Null: not defined on these tracks. */
  metrics: Record<string, number | null>;
  perLabel: Record<string, number | null>;
  answers: [string, string[]][];
}

/** Metrics of labels over all test tracks: none is left out. */
export function scoredLabels(
  test: LabelledWindows,
  { scores, labels }: Answers,
  task: EvaluationTask,
): Scored {
  const { labelNames, tracks } = test;
  const width = labelNames.length;
  const count = tracks.ids.length;
  const truth = new Uint8Array(count * width);
  tracks.of.forEach((track, row) =>
    truth.set(test.labels.subarray(row * width, (row + 1) * width), track * width),
  );
  const given = (track: number): string[] => labelNames.filter((_, l) => labels[track * width + l] === 1);
  const answers = tracks.ids.map((id, track): [string, string[]] => [id, given(track)]);
  if (task !== 'multi') {
    const classOf = (all: Uint8Array): number[] =>
      tracks.ids.map((_, track) => all.subarray(track * width, (track + 1) * width).indexOf(1));
    const [truths, said] = [classOf(truth), classOf(labels)];
    const { accuracy, balancedAccuracy, macroF1, perClass } = classificationReport(truths, said, labelNames);
    const perLabel = Object.fromEntries(
      perClass.map(({ class: name, f1, support }) => [name, support > 0 ? f1 : null]),
    );
    const classes = { accuracy, balancedAccuracy, macroF1 };
    const metrics =
      task === 'key' ? { weightedScore: weightedScore(truths, said, labelNames), ...classes } : classes;
    return { tested: count, metrics, perLabel, answers };
  }
  const column = (all: ArrayLike<number>, l: number): number[] =>
    Array.from({ length: count }, (_, row) => all[row * width + l] ?? 0);
  const defined = (of: (truths: number[], ofLabel: number[]) => number | null): (number | null)[] =>
    labelNames.map((_, l) => of(column(truth, l), column(scores, l)));
  const precision = defined(averagePrecision);
  const { f1Micro, f1Macro } = multilabelMetrics(truth, labels, count, width);
  const metrics = { averagePrecision: meanOf(precision), rocAuc: meanOf(defined(rocAuc)), f1Micro, f1Macro };
  return {
    tested: count,
    metrics,
    perLabel: Object.fromEntries(labelNames.map((name, l) => [name, precision[l] ?? null])),
    answers,
  };
}

/** MIREX’s weighted score of keys. */
function weightedScore(truths: readonly number[], said: readonly number[], names: readonly string[]): number {
  const total = truths.reduce((sum, truth, i) => {
    const [wanted, found] = [keyOf(names[truth] ?? ''), keyOf(names[said[i] ?? -1] ?? '')];
    return sum + (wanted && found ? keyScore(wanted, found) : 0);
  }, 0);
  return total / truths.length;
}

/**
 * Of what deviates among the tracks learned from or among those asked by less than a tenth of how it deviates among the others,
 * R² would divide by next to nothing: nobody can tell whether it is known.
 */
const LEAST_RELATIVE_VARIANCE = 0.01;

/**
 * Metrics of numbers over the test tracks of which they are known.
 * @param learned the same numbers of the tracks that were learned from
 * @param groups of targets: each counts once, however many numbers it is made of; null for a task of one number
 */
export function scoredNumbers(
  ids: readonly string[],
  truth: Targets,
  predicted: Float64Array,
  learned: Targets,
  groups: ReadonlyMap<string, readonly string[]> | null,
): Scored {
  const { names, values } = truth;
  const pairs = names.map((_, c) =>
    ids.flatMap((__, row) => {
      const [wanted, found] = [
        values[row * names.length + c] ?? NaN,
        predicted[row * names.length + c] ?? NaN,
      ];
      return Number.isFinite(wanted) && Number.isFinite(found) ? [{ wanted, found }] : [];
    }),
  );
  const of = (score: typeof r2, c: number): number | null => {
    const own = pairs[c] ?? [];
    return score(
      own.map(({ wanted }) => wanted),
      own.map(({ found }) => found),
    );
  };
  const known = (c: number): number | null => {
    const from = variance(learned.values.filter((_, i) => i % names.length === c));
    const asked = variance((pairs[c] ?? []).map(({ wanted }) => wanted));
    return Math.min(from, asked) < LEAST_RELATIVE_VARIANCE * Math.max(from, asked) ? null : of(r2, c);
  };
  const perLabel = Object.fromEntries(names.map((name, c) => [name, known(c)]));
  if (groups === null)
    return {
      tested: ids.length,
      metrics: { 'R²': known(0), [absoluteMetric]: of(meanAbsoluteError, 0) },
      perLabel,
      answers: ids.map((id, row) => [id, [String(Number((predicted[row] ?? NaN).toPrecision(6)))]]),
    };
  const perGroup = [...groups].map(([title, members]): [string, number | null] => [
    title,
    meanOf(members.map((name) => perLabel[name] ?? null)),
  ]);
  return {
    tested: ids.length,
    metrics: {
      'R²': meanOf(perGroup.map(([, value]) => value)),
      ...Object.fromEntries(perGroup.map(([title, value]) => [`${targetMetric}${title}`, value])),
    },
    perLabel,
    // Nothing is right or wrong of a track.
    answers: [],
  };
}

/** Of the values that are known; 0 of none. */
function variance(values: ArrayLike<number>): number {
  const known = Array.from(values).filter(Number.isFinite);
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  return known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, known.length);
}

/** Over those that are defined. */
function meanOf(values: readonly (number | null)[]): number | null {
  const there = values.filter((value) => value !== null);
  return there.length === 0 ? null : there.reduce((a, b) => a + b, 0) / there.length;
}
