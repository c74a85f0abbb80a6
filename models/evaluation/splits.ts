import { Random } from '../numerics/random.ts';
import { NumericError } from '../numerics/errors.ts';

/** Row numbers of the two parts of a split, each ascending. */
export interface RowSplit {
  train: number[];
  test: number[];
}

/**
 * Cross-validation: every row is tested exactly once; fold sizes differ by at most one row.
 * @param count rows · @param folds `2..count` · @param seed any safe integer; same seed, same folds
 * @param strata `[count]` numbers, e.g. labelset ids: the rows of a stratum are dealt evenly over the folds.
 * @throws NumericError `bad-parameter` for folds, `shape` when strata do not match the rows.
 */
export function kFolds(count: number, folds: number, seed: number, strata?: ArrayLike<number>): RowSplit[] {
  if (!Number.isInteger(folds) || folds < 2 || folds > count)
    throw new NumericError(
      'bad-parameter',
      `${count} rows cannot be cut into ${folds} folds.`,
      `Choose from 2 to ${count} folds.`,
    );
  const order = dealingOrder(count, seed, strata);
  return Array.from({ length: folds }, (_, fold) =>
    splitBy(
      count,
      order.filter((_row, i) => i % folds === fold),
    ),
  );
}

/**
 * Several independent splits (Monte-Carlo cross-validation) of one size.
 * @param options `testFraction` in (0, 1): rounded to rows, at least one on either side. `strata` as {@link kFolds}:
 * each is tested in proportion, to within a row.
 * @throws NumericError `bad-parameter` or `shape`.
 */
export function repeatedSplits(
  count: number,
  options: { repeats: number; testFraction: number; seed: number; strata?: ArrayLike<number> },
): RowSplit[] {
  const { repeats, testFraction, seed, strata } = options;
  if (!Number.isInteger(repeats) || repeats < 1)
    throw new NumericError('bad-parameter', `${repeats} repeats cannot be made.`, 'Choose at least 1.');
  if (!(testFraction > 0 && testFraction < 1) || count < 2)
    throw new NumericError(
      'bad-parameter',
      `${count} row${count === 1 ? '' : 's'} cannot be split with a test share of ${testFraction}.`,
      'Give at least two rows and a share between 0 and 1.',
    );
  const held = Math.min(count - 1, Math.max(1, Math.round(count * testFraction)));
  const seeds = new Random(seed);
  return Array.from({ length: repeats }, () => {
    const order = dealingOrder(count, seeds.bits(), strata);
    // Evenly spaced places of an order that keeps strata together take every stratum in proportion.
    const phase = seeds.uniform();
    const test = order.filter(
      (_row, i) => Math.floor(((i + 1) * held) / count + phase) > Math.floor((i * held) / count + phase),
    );
    return splitBy(count, test);
  });
}

/** All rows in seeded order, the rows of one stratum side by side. */
function dealingOrder(count: number, seed: number, strata?: ArrayLike<number>): number[] {
  const random = new Random(seed);
  const rows = random.shuffle(Array.from({ length: count }, (_, row) => row));
  if (!strata) return rows;
  if (strata.length !== count)
    throw new NumericError('shape', `${strata.length} strata for ${count} rows.`, 'Give one per row.');
  const groups = new Map<number, number[]>();
  for (const row of rows) {
    const stratum = strata[row] ?? 0;
    const group = groups.get(stratum);
    if (group) group.push(row);
    else groups.set(stratum, [row]);
  }
  return [...groups.values()].flat();
}

function splitBy(count: number, test: readonly number[]): RowSplit {
  const held = new Set(test);
  const all = Array.from({ length: count }, (_, row) => row);
  return { train: all.filter((row) => !held.has(row)), test: all.filter((row) => held.has(row)) };
}
