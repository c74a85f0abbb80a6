import type { EvaluationClasses, EvaluationFlip } from '../api/evaluations.ts';
import type { EvaluationCell } from './cell-files.ts';

/** One column of the grid under one deformation. */
export interface Column {
  dataset: string;
  probe: string;
  deformation: string;
}

function ofColumn(
  cells: readonly EvaluationCell[],
  { dataset, probe, deformation }: Column,
): EvaluationCell[] {
  return cells.filter(
    (cell) => cell.dataset === dataset && cell.probe === probe && cell.deformation === deformation,
  );
}

/** Scores of each label in each space, the mean over runs. */
export function classesOf(cells: readonly EvaluationCell[], column: Column): EvaluationClasses {
  const own = ofColumn(cells, column);
  const spaces = [...new Set(own.map(({ space }) => space))];
  const labels = [...new Set(own.flatMap(({ perLabel }) => Object.keys(perLabel)))].sort();
  const values = spaces.map((space) =>
    labels.map((label) => {
      const known = own.flatMap((cell) => (cell.space === space ? (cell.perLabel[label] ?? []) : []));
      return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
    }),
  );
  return { labels, spaces, values };
}

/**
 * Tracks that one space tells right more often than another, over the runs that both were tested in, those that differ most
 * first.
 * @param itemOf labels and file of each track, by path; rows of a data set file have none
 */
export function flipsOf(
  cells: readonly EvaluationCell[],
  column: Column,
  { first, second }: { first: string; second: string },
  itemOf: ReadonlyMap<string, { file: string; labels: readonly string[] }>,
): EvaluationFlip[] {
  const own = ofColumn(cells, column);
  const runOf = ({ seed, split }: EvaluationCell): string => `${seed} ${split}`;
  const others = new Map(own.filter(({ space }) => space === second).map((cell) => [runOf(cell), cell]));
  const flips = new Map<string, EvaluationFlip>();
  for (const cell of own) {
    const other = others.get(runOf(cell));
    if (cell.space !== first || !other) continue;
    const theirs = new Map(other.answers);
    for (const [path, said] of cell.answers) {
      const answer = theirs.get(path);
      const item = itemOf.get(path);
      if (!answer || !item) continue;
      const { labels: truth, file } = item;
      const flip = flips.get(path) ?? {
        ...{ path, sounds: file !== '', truth: [...truth], first: said, second: answer },
        ...{ runs: 0, firstRight: 0, secondRight: 0 },
      };
      flip.runs += 1;
      if (same(said, truth)) flip.firstRight += 1;
      if (same(answer, truth)) flip.secondRight += 1;
      flips.set(path, flip);
    }
  }
  const apart = ({ firstRight, secondRight, runs }: EvaluationFlip): number =>
    Math.abs(firstRight - secondRight) / runs;
  return [...flips.values()]
    .filter((flip) => apart(flip) > 0)
    .sort((a, b) => apart(b) - apart(a) || (a.path < b.path ? -1 : 1));
}

/** Labels are sets. */
const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((label) => b.includes(label));
