import { Random } from '../../numerics/random.ts';
import { NumericError } from '../../numerics/errors.ts';
import type { SplitItem } from './holdout.ts';

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
  checkFolds(count, folds, 'rows');
  const order = dealingOrder(count, seed, strata);
  return Array.from({ length: folds }, (_, fold) =>
    splitBy(
      count,
      order.filter((_row, i) => i % folds === fold),
    ),
  );
}

/**
 * How {@link groupedFolds} draws the order in which groups are dealt out: `at-once`, all groups shuffled together and
 * then sorted by class, or `by-class`, the groups of one class shuffled after those of another.
 */
export type FoldDeal = 'at-once' | 'by-class';

/**
 * Cross-validation over whole groups: every group is tested exactly once, groups of one class are dealt evenly over
 * the folds. A group counts as the class of its first item: where groups are of several classes, the folds of a stored
 * study stay what they are only with items in an order that stays, such as that of paths.
 * @returns names of the groups that each fold tests.
 * @throws NumericError `bad-parameter` unless there are 2 folds to as many as groups.
 */
export function groupedFolds(
  items: readonly Pick<SplitItem, 'group' | 'label'>[],
  folds: number,
  seed: number,
  deal: FoldDeal = 'at-once',
): Set<string>[] {
  const labelOf = new Map<string, number>();
  for (const { group, label } of items) if (!labelOf.has(group)) labelOf.set(group, label);
  if (deal === 'by-class') return dealtByClass(labelOf, folds, seed);
  // By name, so that the order of the groups does not count.
  const groups = [...labelOf.keys()].sort();
  const strata = groups.map((group) => labelOf.get(group) ?? 0);
  return kFolds(groups.length, folds, seed, strata).map(
    ({ test }) => new Set(test.map((index) => groups[index] ?? '')),
  );
}

function dealtByClass(labelOf: ReadonlyMap<string, number>, folds: number, seed: number): Set<string>[] {
  checkFolds(labelOf.size, folds, 'groups');
  const random = new Random(seed);
  const tested = Array.from({ length: folds }, () => new Set<string>());
  let next = 0;
  for (const label of [...new Set(labelOf.values())].sort((a, b) => a - b)) {
    const groups = [...labelOf.keys()].filter((group) => labelOf.get(group) === label);
    for (const group of random.shuffle(groups)) tested[next++ % folds]?.add(group);
  }
  return tested;
}

function checkFolds(count: number, folds: number, what: string): void {
  if (!Number.isInteger(folds) || folds < 2 || folds > count)
    throw new NumericError(
      'bad-parameter',
      `${count} ${what} cannot be cut into ${folds} folds.`,
      count < 2 ? 'Label more tracks first.' : `Choose from 2 to ${count} folds.`,
    );
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
