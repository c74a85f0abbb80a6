import { NumericError } from '../../numerics/errors.ts';
import { at } from '../../numerics/vectors.ts';

/**
 * How well label scores order the labels of a row. Rows where a measure is undefined (no label, or all of them) count
 * as scikit-learn counts them: 0 for loss, error and coverage, 1 for precision.
 */
export interface RankingMetrics {
  /** Share of (relevant, irrelevant) pairs where the irrelevant label scores at least as high. Lower is better. */
  rankingLoss: number;
  /** Share of rows whose best-scored label (the first of equals) is not relevant. Lower is better. */
  oneError: number;
  /** How many best-scored labels must be taken to have all relevant ones, mean over rows; 1..L. Lower is better. */
  coverage: number;
  /** Label-ranking average precision: mean share of relevant labels among those scored at least as high. */
  averagePrecision: number;
}

/**
 * @param truth `[count, labels]` of 0/1 · @param scores `[count, labels]`
 * @throws NumericError `shape` when sizes disagree, `not-finite` for a score that is no number.
 */
export function rankingMetrics(
  truth: Uint8Array,
  scores: Float64Array,
  count: number,
  labels: number,
): RankingMetrics {
  if (scores.length !== count * labels)
    throw new NumericError(
      'shape',
      'Truth and label scores differ in size.',
      'Score every label of every row.',
    );
  const bad = scores.findIndex((score) => !Number.isFinite(score));
  if (bad >= 0)
    throw new NumericError(
      'not-finite',
      `Row ${Math.floor(bad / labels)} scores label ${bad % labels} ${String(scores[bad])}.`,
      'Label scores must be finite.',
    );
  let [loss, errors, coverage, precision] = [0, 0, 0, 0];
  for (let row = 0; row < count; row++) {
    const own = rankRow(
      truth.subarray(row * labels, (row + 1) * labels),
      scores.subarray(row * labels, (row + 1) * labels),
    );
    loss += own.loss;
    errors += own.error;
    coverage += own.coverage;
    precision += own.precision;
  }
  return {
    rankingLoss: loss / count,
    oneError: errors / count,
    coverage: coverage / count,
    averagePrecision: precision / count,
  };
}

function rankRow(
  truth: Uint8Array,
  scores: Float64Array,
): { loss: number; error: number; coverage: number; precision: number } {
  const labels = truth.length;
  const order = Array.from(scores.keys()).sort((a, b) => at(scores, b) - at(scores, a) || a - b);
  const relevant = truth.reduce((sum, value) => sum + value, 0);
  if (relevant === 0) return { loss: 0, error: 0, coverage: 0, precision: 1 };
  let [badPairs, precision, coverage] = [0, 0, 0];
  let seen = 0;
  let seenRelevant = 0;
  // Equal scores are one step: each of their labels has the rank of the last of them.
  for (let start = 0; start < labels;) {
    const score = at(scores, at(order, start));
    let end = start;
    let here = 0;
    while (end < labels && at(scores, at(order, end)) === score) here += at(truth, at(order, end++));
    seen = end;
    seenRelevant += here;
    badPairs += here * (seen - seenRelevant);
    precision += here * (seenRelevant / seen);
    if (here > 0) coverage = seen;
    start = end;
  }
  const pairs = relevant * (labels - relevant);
  return {
    loss: pairs > 0 ? badPairs / pairs : 0,
    error: at(truth, at(order, 0)) === 1 ? 0 : 1,
    coverage,
    precision: pairs > 0 ? precision / relevant : 1,
  };
}
