import { NumericError } from '../../numerics/errors.ts';

/** Whether two classifiers, asked about the same tracks, differ. */
export interface McNemarResult {
  /** Tracks that only the first, and only the second got right; those that both or neither got right say nothing. */
  onlyFirst: number;
  onlySecond: number;
  /** Two-sided, exact: the binomial distribution of the disagreements. */
  pValue: number;
}

/**
 * McNemar's test, exact. Without a disagreement the p-value is 1.
 * @param first whether one classifier's answer about each track is right · @param second the other's, same tracks
 * @throws NumericError `shape` when lengths differ
 */
export function mcnemar(first: readonly boolean[], second: readonly boolean[]): McNemarResult {
  if (first.length !== second.length)
    throw new NumericError(
      'shape',
      `${first.length} answers cannot be paired with ${second.length}.`,
      'Ask both about the same tracks.',
    );
  const onlyFirst = first.filter((right, i) => right && second[i] === false).length;
  const onlySecond = second.filter((right, i) => right && first[i] === false).length;
  const n = onlyFirst + onlySecond;
  // Terms of the binomial distribution by their logarithms: ½ⁿ is no number from n = 1075 on.
  let term = -n * Math.log(2);
  let tail = 0;
  for (let k = 0; k <= Math.min(onlyFirst, onlySecond); k++) {
    tail += Math.exp(term);
    term += Math.log(n - k) - Math.log(k + 1);
  }
  return { onlyFirst, onlySecond, pValue: n === 0 ? 1 : Math.min(1, 2 * tail) };
}
