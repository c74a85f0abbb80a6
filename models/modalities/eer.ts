import { at } from '../numerics/vectors.ts';

/** Pairs of items with what was said of them. */
export interface Trials {
  /** How alike the two are said to be. */
  scores: Float32Array;
  /** 1: they are of one class. */
  same: Uint8Array;
  /** Groups of the two, by number. */
  first: Int32Array;
  second: Int32Array;
}

/** Trials from the lowest score up; made once, for many weightings. */
export function risingOrder({ scores }: Trials): Int32Array {
  const order = Int32Array.from({ length: scores.length }, (_, i) => i);
  return order.sort((a, b) => at(scores, a) - at(scores, b) || a - b);
}

/**
 * Equal error rate: the share of trials that are judged wrongly at the threshold where pairs of one class are refused as often as
 * other pairs are accepted. 0.5 is guessing. Between two thresholds the lines are crossed.
 * @param order of {@link risingOrder}
 * @param weights of groups: how often each counts; a trial counts as often as its groups do together, one within a group as often
 * as that
 * @returns NaN where one kind of trials has no weight
 */
export function equalErrorRate(
  { scores, same, first, second }: Trials,
  order: Int32Array,
  weights?: ArrayLike<number>,
): number {
  const weightOf = (trial: number): number => {
    if (!weights) return 1;
    const [a, b] = [at(first, trial), at(second, trial)];
    return a === b ? at(weights, a) : at(weights, a) * at(weights, b);
  };
  let [targets, others] = [0, 0];
  for (const trial of order)
    if (same[trial] === 1) targets += weightOf(trial);
    else others += weightOf(trial);
  if (targets === 0 || others === 0) return NaN;
  // Below the lowest score nothing is refused and all is accepted.
  let [refused, accepted] = [0, 1];
  let [refusedSum, leftOut] = [0, 0];
  for (let from = 0; from < order.length;) {
    let to = from;
    const score = at(scores, at(order, from));
    while (to < order.length && at(scores, at(order, to)) === score) {
      const trial = at(order, to);
      if (same[trial] === 1) refusedSum += weightOf(trial);
      else leftOut += weightOf(trial);
      to += 1;
    }
    const [before, ahead] = [refused, accepted];
    refused = refusedSum / targets;
    accepted = 1 - leftOut / others;
    if (refused >= accepted) {
      const [left, right] = [ahead - before, refused - accepted];
      const share = left + right > 0 ? left / (left + right) : 0;
      return before + share * (refused - before);
    }
    from = to;
  }
  return 1;
}
