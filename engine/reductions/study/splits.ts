import { groupedFolds, type RowSplit } from '../../../models/evaluation/splits/folds.ts';
import { splitTracks } from '../../../models/evaluation/splits/holdout.ts';
import type { StudySplit } from '../../api/domain.ts';
import { EngineError } from '../../api/errors.ts';
import type { LabelledRows } from '../corpus/index.ts';

type Rows = Pick<LabelledRows, 'itemOf' | 'firstLabel' | 'groupOf'>;

/**
 * Training and test rows of every split: seeded, in proportion to the first labels, groups kept whole.
 * @throws EngineError `reduction` when a part would be empty; NumericError for more folds than groups
 */
export function splitRows(
  rows: Rows,
  split: Extract<StudySplit, { kind: 'holdout' | 'folds' }>,
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

function folds({ itemOf, firstLabel, groupOf }: Rows, count: number, seed: number): RowSplit[] {
  const items = itemOf.map((id, row) => ({ group: groupOf.get(id) ?? id, label: firstLabel[row] ?? 0 }));
  return groupedFolds(items, count, seed).map((held) =>
    sortRows(itemOf, (id) => held.has(groupOf.get(id) ?? id)),
  );
}

function sortRows(itemOf: readonly string[], isTest: (id: string) => boolean): RowSplit {
  const result: RowSplit = { train: [], test: [] };
  itemOf.forEach((id, row) => (isTest(id) ? result.test : result.train).push(row));
  return result;
}
