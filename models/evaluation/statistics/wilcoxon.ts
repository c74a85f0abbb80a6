import jstat from 'jstat';
import { NumericError } from '../../numerics/errors.ts';
import { averageRanks, tieSum } from './ranks.ts';

/** Whether two methods, scored on the same blocks, differ. */
export interface WilcoxonResult {
  /** Pairs that differ; equal pairs are left out (Wilcoxon's own treatment of zeros). */
  pairs: number;
  /** Rank sums of the pairs where the first, and where the second score is higher. */
  firstHigher: number;
  secondHigher: number;
  /** The smaller of the two. */
  statistic: number;
  /** Two-sided. */
  pValue: number;
  /** `exact`: by counting all assignments of signs, ties included; `normal`: large samples, corrected for ties. */
  method: 'exact' | 'normal';
}

/** Up to this many pairs every assignment of signs is counted. */
const exactLimit = 50;

/**
 * Wilcoxon's signed-rank test, two-sided. Without a single difference the p-value is 1.
 * @param a scores of one method · @param b of the other, on the same blocks, finite.
 * @throws NumericError when lengths differ, there is no pair, or a score is not finite.
 */
export function wilcoxon(a: readonly number[], b: readonly number[]): WilcoxonResult {
  if (a.length !== b.length || a.length === 0)
    throw new NumericError(
      'shape',
      `${a.length} scores cannot be paired with ${b.length}.`,
      'Score both methods on the same data sets.',
    );
  if (![...a, ...b].every(Number.isFinite))
    throw new NumericError('not-finite', 'Some scores are missing.', 'Score both methods on every data set.');
  const differences = a.map((value, i) => value - (b[i] ?? NaN)).filter((value) => value !== 0);
  const { ranks, ties } = averageRanks(differences.map(Math.abs));
  const total = (ranks.length * (ranks.length + 1)) / 2;
  const firstHigher = ranks.reduce((sum, rank, i) => sum + ((differences[i] ?? 0) > 0 ? rank : 0), 0);
  const statistic = Math.min(firstHigher, total - firstHigher);
  const method = ranks.length <= exactLimit ? 'exact' : 'normal';
  return {
    pairs: ranks.length,
    firstHigher,
    secondHigher: total - firstHigher,
    statistic,
    pValue: method === 'exact' ? exactPValue(ranks, statistic) : normalPValue(ranks.length, ties, statistic),
    method,
  };
}

/** Share of the 2ⁿ assignments of signs whose smaller rank sum is at most `statistic`. */
function exactPValue(ranks: readonly number[], statistic: number): number {
  // Mean ranks are halves at worst: doubled, they are whole numbers and their sums can be counted.
  const doubled = ranks.map((rank) => Math.round(2 * rank));
  const total = doubled.reduce((sum, rank) => sum + rank, 0);
  let share = new Float64Array(total + 1);
  share[0] = 1;
  for (const rank of doubled) {
    const next = new Float64Array(total + 1);
    for (let sum = 0; sum <= total; sum++)
      next[sum] = ((share[sum] ?? 0) + (sum >= rank ? (share[sum - rank] ?? 0) : 0)) / 2;
    share = next;
  }
  const tail = share.subarray(0, Math.round(2 * statistic) + 1).reduce((sum, value) => sum + value, 0);
  return Math.min(1, 2 * tail);
}

function normalPValue(pairs: number, ties: readonly number[], statistic: number): number {
  const variance = (pairs * (pairs + 1) * (2 * pairs + 1)) / 24 - tieSum(ties) / 48;
  const z = (statistic - (pairs * (pairs + 1)) / 4) / Math.sqrt(variance);
  return Math.min(1, 2 * jstat.normal.cdf(z, 0, 1));
}

/**
 * Holm's step-down correction for several tests at once (e.g. Wilcoxon's test of every pair of methods).
 * @param pValues in [0, 1] · @returns adjusted values in the same order; those below α are significant together at α.
 */
export function holm(pValues: readonly number[]): number[] {
  const order = Array.from(pValues.keys()).sort((a, b) => (pValues[a] ?? 0) - (pValues[b] ?? 0));
  const adjusted = new Array<number>(pValues.length).fill(0);
  let running = 0;
  for (const [place, test] of order.entries()) {
    running = Math.max(running, Math.min(1, (pValues.length - place) * (pValues[test] ?? 0)));
    adjusted[test] = running;
  }
  return adjusted;
}
