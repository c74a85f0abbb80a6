import jstat from 'jstat';
import { NumericError } from '../../numerics/errors.ts';

/** Which pairs of methods differ, after a Friedman test. */
export interface NemenyiResult {
  /** Mean ranks further apart than this differ. */
  criticalDifference: number;
  /** Every pair `first < second` of method numbers. */
  pairs: { first: number; second: number; difference: number; pValue: number; differ: boolean }[];
  /** Maximal runs of methods, best first, whose extremes do not differ: the bars of a critical-difference diagram. */
  groups: number[][];
}

/**
 * Nemenyi's post-hoc test: the critical difference `q_α · √(k(k+1) / 6N)` with the studentized range at infinite
 * degrees of freedom over √2 (Demšar 2006, §3.2.2).
 * @param result mean ranks of k methods over N blocks, as `friedman` gives them.
 * @param alpha family-wise error, in (0, 1); 0.05 by default.
 * @throws NumericError for an `alpha` outside (0, 1), fewer than two methods or no block.
 */
export function nemenyi(
  result: { blocks: number; meanRanks: readonly number[] },
  alpha = 0.05,
): NemenyiResult {
  const { blocks, meanRanks } = result;
  const methods = meanRanks.length;
  if (!(alpha > 0 && alpha < 1))
    throw new NumericError('bad-parameter', `${alpha} is no level of significance.`, 'Try 0.05.');
  if (methods < 2 || blocks < 1)
    throw new NumericError('shape', 'There is nothing to compare.', 'Compare at least two methods.');
  const unit = Math.sqrt((methods * (methods + 1)) / (6 * blocks));
  const criticalDifference = (jstat.tukey.inv(1 - alpha, methods, Infinity) / Math.SQRT2) * unit;
  const pairs = meanRanks.flatMap((rank, first) =>
    meanRanks.slice(first + 1).map((other, i) => {
      const difference = Math.abs(rank - other);
      return {
        first,
        second: first + 1 + i,
        difference,
        pValue: Math.max(0, 1 - jstat.tukey.cdf((difference / unit) * Math.SQRT2, methods, Infinity)),
        differ: difference > criticalDifference,
      };
    }),
  );
  return { criticalDifference, pairs, groups: indistinct(meanRanks, criticalDifference) };
}

function indistinct(meanRanks: readonly number[], limit: number): number[][] {
  const rankOf = (method: number): number => meanRanks[method] ?? NaN;
  const order = Array.from(meanRanks.keys()).sort((a, b) => rankOf(a) - rankOf(b) || a - b);
  const groups: number[][] = [];
  let covered = 0;
  for (const [start, method] of order.entries()) {
    const beyond = order.findIndex((other) => rankOf(other) - rankOf(method) > limit);
    const end = beyond < 0 ? order.length : beyond;
    // A run that an earlier, longer one contains says nothing new.
    if (end > covered && end - start > 1) groups.push(order.slice(start, end));
    covered = Math.max(covered, end);
  }
  return groups;
}
