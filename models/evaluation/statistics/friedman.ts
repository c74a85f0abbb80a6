import jstat from 'jstat';
import { NumericError } from '../../numerics/errors.ts';
import { averageRanks, tieSum } from './ranks.ts';

/** Whether some of several methods, each scored on the same blocks, differ. */
export interface FriedmanResult {
  /** Blocks (data sets, folds) and methods compared. */
  blocks: number;
  methods: number;
  /** Mean rank of every method over the blocks; 1 is best. */
  meanRanks: number[];
  /** Friedman's statistic, corrected for ties, chi-square with `methods − 1` degrees of freedom. */
  chiSquare: number;
  pValue: number;
  /** Iman and Davenport's less conservative form, F-distributed. `f` is Infinity when all blocks agree entirely. */
  imanDavenport: { f: number; degrees: [number, number]; pValue: number };
}

/**
 * Friedman's rank test with the correction of Iman and Davenport, as Demšar (2006, JMLR 7) recommends for comparing
 * classifiers over data sets.
 * @param scores one row per block, one number per method (≥ 2 blocks, ≥ 2 methods, finite).
 * @param options `best`: whether the `highest` (default) or the `lowest` score of a block gets rank 1.
 * @throws NumericError for too few or ragged or non-finite scores.
 */
export function friedman(
  scores: readonly (readonly number[])[],
  options: { best?: 'highest' | 'lowest' } = {},
): FriedmanResult {
  const methods = scores[0]?.length ?? 0;
  const blocks = scores.length;
  if (blocks < 2 || methods < 2)
    throw new NumericError(
      'shape',
      `${blocks} × ${methods} scores cannot be compared.`,
      'Score at least two methods on at least two data sets or splits.',
    );
  if (scores.some((row) => row.length !== methods || row.some((score) => !Number.isFinite(score))))
    throw new NumericError('not-finite', 'Some scores are missing.', 'Score every method on every data set.');
  const sign = options.best === 'lowest' ? 1 : -1;
  const ranked = scores.map((row) => averageRanks(row.map((score) => sign * score)));
  const meanRanks = Array.from(
    { length: methods },
    (_, m) => ranked.reduce((sum, { ranks }) => sum + (ranks[m] ?? 0), 0) / blocks,
  );
  const spread = meanRanks.reduce((sum, rank) => sum + (rank - (methods + 1) / 2) ** 2, 0);
  const ties = ranked.reduce((sum, row) => sum + tieSum(row.ties), 0);
  const correction = 1 - ties / (blocks * methods * (methods ** 2 - 1));
  // Without any difference inside any block there is nothing to reject.
  const chiSquare = correction > 0 ? ((12 * blocks) / (methods * (methods + 1))) * (spread / correction) : 0;
  const rest = blocks * (methods - 1) - chiSquare;
  const f = rest > 1e-12 * chiSquare ? ((blocks - 1) * chiSquare) / rest : Infinity;
  const degrees: [number, number] = [methods - 1, (methods - 1) * (blocks - 1)];
  return {
    blocks,
    methods,
    meanRanks,
    chiSquare,
    pValue: Math.max(0, 1 - jstat.chisquare.cdf(chiSquare, methods - 1)),
    imanDavenport: { f, degrees, pValue: upperTailOfF(f, degrees) },
  };
}

/** P(F > f), by the incomplete beta function so that small probabilities keep their digits. */
function upperTailOfF(f: number, [d1, d2]: [number, number]): number {
  return f === Infinity ? 0 : jstat.ibeta(d2 / (d2 + d1 * f), d2 / 2, d1 / 2);
}
