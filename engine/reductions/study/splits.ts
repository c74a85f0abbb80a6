import { kFolds, type RowSplit } from '../../../models/knn/index.ts';
import { splitTracks } from '../../../models/evaluation/holdout.ts';
import type { StudySplit } from '../../api/domain.ts';
import { EngineError } from '../../api/errors.ts';
import type { LabelledRows } from '../corpus/index.ts';

type Rows = Pick<LabelledRows, 'itemOf' | 'firstLabel' | 'groupOf'>;

/**
 * Training and test rows of every split: seeded, in proportion to the first labels, groups kept whole.
 * @throws EngineError `reduction` when a part would be empty; ReductionError for more folds than groups
 */
export function splitRows(
  rows: Rows,
  split: Exclude<StudySplit, { kind: 'file' }>,
  seed: number,
): RowSplit[] {
  const repeats = Array.from({ length: split.repeats }, (_, repeat) => seed + repeat);
  const splits = repeats.flatMap((each) =>
    split.kind === 'holdout' ? [holdOut(rows, split.test, each)] : folds(rows, split.folds, each),
  );
  for (const { train, test } of splits)
    if (train.length === 0 || test.length === 0)
      throw new EngineError(
        'reduction',
        `The split leaves ${train.length} rows to reduce and ${test.length} to test with.`,
        'Label more tracks, or give both parts of the split a share.',
      );
  return splits;
}

function holdOut({ itemOf, firstLabel, groupOf }: Rows, test: number, seed: number): RowSplit {
  const labelOf = new Map(itemOf.map((id, row) => [id, firstLabel[row] ?? 0]));
  const items = [...labelOf].map(([id, label]) => ({ id, group: groupOf.get(id) ?? id, label }));
  const parts = splitTracks(items, { train: 1 - test, validation: 0, test }, seed);
  return sortRows(itemOf, (id) => parts.get(id) === 'test');
}

/** Folds over groups, each group counted as the label of its first item. */
function folds({ itemOf, firstLabel, groupOf }: Rows, count: number, seed: number): RowSplit[] {
  const labelOf = new Map<string, number>();
  itemOf.forEach((id, row) => {
    const group = groupOf.get(id) ?? id;
    if (!labelOf.has(group)) labelOf.set(group, firstLabel[row] ?? 0);
  });
  // By name, so that the folds do not depend on the order in which the database gives the tracks.
  const groups = [...labelOf.keys()].sort();
  const strata = groups.map((group) => labelOf.get(group) ?? 0);
  return kFolds(groups.length, count, seed, strata).map(({ test }) => {
    const held = new Set(test.map((index) => groups[index]));
    return sortRows(itemOf, (id) => held.has(groupOf.get(id) ?? id));
  });
}

function sortRows(itemOf: readonly string[], isTest: (id: string) => boolean): RowSplit {
  const result: RowSplit = { train: [], test: [] };
  itemOf.forEach((id, row) => (isTest(id) ? result.test : result.train).push(row));
  return result;
}
