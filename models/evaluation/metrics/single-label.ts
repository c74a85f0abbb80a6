/** Scores of one class. */
export interface ClassScores {
  class: string;
  precision: number;
  recall: number;
  f1: number;
  /** How many items truly are of this class. */
  support: number;
}
/** Scores of a single-label classifier; all shares in [0, 1]. */
export interface ClassificationReport {
  accuracy: number;
  /** Mean recall over the classes that occur in the truth (the paper's class-normalised accuracy). */
  balancedAccuracy: number;
  /** Mean F1 over the classes that occur in the truth or among the predictions. */
  macroF1: number;
  /** Accuracy of always answering with the most frequent true class. */
  majorityBaseline: number;
  perClass: ClassScores[];
  /** Counts `[true class][predicted class]`. */
  confusion: number[][];
}

/**
 * Scores predictions; undefined ratios (0/0) count as 0, as scikit-learn does by default.
 * @param truth class index of each item; @param predicted the classifier's answers, in the same order.
 * @throws RangeError when nothing is to be scored, lengths differ, or an index names no class.
 */
export function classificationReport(
  truth: readonly number[],
  predicted: readonly number[],
  classes: readonly string[],
): ClassificationReport {
  if (truth.length === 0) throw new RangeError('no items to score');
  if (truth.length !== predicted.length) throw new RangeError('as many predictions as items are needed');
  const confusion = classes.map(() => classes.map(() => 0));
  truth.forEach((actual, i) => {
    const row = confusion[actual];
    const answer = predicted[i] ?? -1;
    if (row?.[answer] === undefined)
      throw new RangeError(`item ${i} has a class index outside the ${classes.length} classes`);
    row[answer] += 1;
  });
  const answered = classes.map((_, c) => sum(confusion.map((row) => row[c] ?? 0)));
  const perClass = classes.map((name, c): ClassScores => {
    const right = confusion[c]?.[c] ?? 0;
    const support = sum(confusion[c] ?? []);
    const predictions = answered[c] ?? 0;
    return {
      class: name,
      precision: ratio(right, predictions),
      recall: ratio(right, support),
      f1: ratio(2 * right, support + predictions),
      support,
    };
  });
  const present = perClass.filter((scores) => scores.support > 0);
  const seen = perClass.filter((scores, c) => scores.support > 0 || (answered[c] ?? 0) > 0);
  return {
    accuracy: sum(confusion.map((row, c) => row[c] ?? 0)) / truth.length,
    balancedAccuracy: sum(present.map((scores) => scores.recall)) / present.length,
    macroF1: sum(seen.map((scores) => scores.f1)) / seen.length,
    majorityBaseline: Math.max(...perClass.map((scores) => scores.support)) / truth.length,
    perClass,
    confusion,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
