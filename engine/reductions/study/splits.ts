import type { RowTracks } from '../../../models/embeddings/labelled-vectors.ts';
import { groupedFolds, type RowSplit } from '../../../models/evaluation/splits/folds.ts';
import { splitTracks } from '../../../models/evaluation/splits/holdout.ts';
import { counted } from '../../../models/text/counted.ts';
import type { StudySplit } from '../../api/studies.ts';
import { EngineError } from '../../api/errors.ts';
import type { LabelledRows } from '../corpus/index.ts';

type Rows = Pick<LabelledRows, 'tracks' | 'firstLabel'>;

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
        `The split leaves ${counted(train.length, 'row')} to reduce and ${counted(test.length, 'row')} to test with.`,
        'Label more tracks, or give both parts of the split a share.',
      );
  return splits;
}

function holdOut({ tracks, firstLabel }: Rows, test: number, seed: number): RowSplit {
  const labels = tracks.ids.map(() => 0);
  tracks.of.forEach((track, row) => {
    labels[track] = firstLabel[row] ?? 0;
  });
  const items = tracks.ids.map((id, track) => ({
    id,
    group: tracks.groups[track] ?? id,
    label: labels[track] ?? 0,
  }));
  const parts = splitTracks(items, { train: 1 - test, validation: 0, test }, seed);
  return sortRows(tracks, (track) => parts.get(tracks.ids[track] ?? '') === 'test');
}

function folds({ tracks, firstLabel }: Rows, count: number, seed: number): RowSplit[] {
  const groupOf = (track: number): string => tracks.groups[track] ?? '';
  const items = Array.from(tracks.of, (track, row) => ({
    group: groupOf(track),
    label: firstLabel[row] ?? 0,
  }));
  return groupedFolds(items, count, seed).map((held) =>
    sortRows(tracks, (track) => held.has(groupOf(track))),
  );
}

function sortRows({ of }: RowTracks, isTest: (track: number) => boolean): RowSplit {
  const result: RowSplit = { train: [], test: [] };
  of.forEach((track, row) => (isTest(track) ? result.test : result.train).push(row));
  return result;
}
