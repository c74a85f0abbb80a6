import { NumericError } from '../../numerics/errors.ts';

/** Scores that are no numbers have no order, and would never end a run of equal ones. */
function checkFinite(scores: ArrayLike<number>): void {
  for (let row = 0; row < scores.length; row++)
    if (!Number.isFinite(scores[row]))
      throw new NumericError(
        'not-finite',
        `Row ${row} scores ${String(scores[row])}.`,
        'Scores must be finite.',
      );
}

/**
 * Area under the ROC curve of one label: the chance that a row that bears it scores above one that does not (equal scores
 * count half). Null where all rows bear it or none does: it is not defined then, and not 0.
 * @throws NumericError `not-finite`
 */
export function rocAuc(truth: ArrayLike<number>, scores: ArrayLike<number>): number | null {
  checkFinite(scores);
  const order = Array.from({ length: scores.length }, (_, i) => i).sort(
    (a, b) => (scores[a] ?? 0) - (scores[b] ?? 0),
  );
  let [positives, rankSum] = [0, 0];
  for (let from = 0; from < order.length;) {
    let to = from;
    while (to < order.length && scores[order[to] ?? 0] === scores[order[from] ?? 0]) to++;
    for (const row of order.slice(from, to))
      if (truth[row] === 1) {
        positives += 1;
        rankSum += (from + 1 + to) / 2;
      }
    from = to;
  }
  const negatives = order.length - positives;
  return positives === 0 || negatives === 0
    ? null
    : (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/**
 * Average precision of one label, as scikit-learn has it: rows of equal score count together. Null where no row bears it.
 * @throws NumericError `not-finite`
 */
export function averagePrecision(truth: ArrayLike<number>, scores: ArrayLike<number>): number | null {
  checkFinite(scores);
  const order = Array.from({ length: scores.length }, (_, i) => i).sort(
    (a, b) => (scores[b] ?? 0) - (scores[a] ?? 0),
  );
  const positives = order.filter((row) => truth[row] === 1).length;
  if (positives === 0) return null;
  let [hits, sum] = [0, 0];
  for (let from = 0; from < order.length;) {
    let [to, here] = [from, 0];
    while (to < order.length && scores[order[to] ?? 0] === scores[order[from] ?? 0])
      here += truth[order[to++] ?? 0] === 1 ? 1 : 0;
    hits += here;
    sum += (here / positives) * (hits / to);
    from = to;
  }
  return sum;
}
