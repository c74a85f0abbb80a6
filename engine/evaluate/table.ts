import jstat from 'jstat';
import { wilsonInterval } from '../../models/evaluation/statistics/wilson.ts';
import type { EvaluationRow, EvaluationTable } from '../api/evaluations.ts';
import type { EvaluationCell } from './cell-files.ts';
import { storedEvaluation } from './stored.ts';

/**
 * The table of an evaluation: its cells, with seeds and splits taken together.
 * @throws EngineError `not-found` when there is none of that id
 */
export async function evaluationTable(dataFolder: string, evaluationId: string): Promise<EvaluationTable> {
  const { plan, cells, text, similarities } = await storedEvaluation(dataFolder, evaluationId);
  const { name, marks, madeBy } = plan;
  return {
    ...{ evaluationId, name, text, marks, madeBy, similarities },
    rows: rowsOf(cells),
    cells: cells.length,
    planned: plan.cells.length,
  };
}

/** Rows in the order of the cells. */
export function rowsOf(cells: readonly EvaluationCell[]): EvaluationRow[] {
  const rows = new Map<string, Gathered>();
  for (const cell of cells)
    for (const [metric, value] of Object.entries(cell.metrics)) {
      const key = JSON.stringify([cell.dataset, cell.space, cell.probe, cell.deformation, metric]);
      const row = rows.get(key) ?? { first: cell, metric, values: [], tested: 0, alike: true };
      rows.set(key, row);
      if (value === null) continue;
      row.values.push(value);
      row.tested += cell.tested;
      row.alike &&= sameTracks(cell, row.first);
    }
  return [...rows.values()].flatMap((row) => {
    const { first, metric, values, tested } = row;
    if (values.length === 0) return [];
    const { dataset, space, probe, deformation } = first;
    return [{ dataset, space, probe, deformation, metric, ...figureOf(row), runs: values.length, tested }];
  });
}

/** Cells of one row, taken together. */
interface Gathered {
  first: EvaluationCell;
  metric: string;
  values: number[];
  tested: number;
  /** Every run tested the same tracks, as with a given split or `test_on`. */
  alike: boolean;
}

const sameTracks = (a: EvaluationCell, b: EvaluationCell): boolean =>
  a.answers.length === b.answers.length && a.answers.every(([path], i) => path === b.answers[i]?.[0]);

/**
 * Where every run tested the same tracks, runs differ by what was learned alone, often by nothing: how sure a share of
 * tracks is, is told by how many were tested (Wilson). Of other figures nothing is said then.
 */
function figureOf({ first, metric, values, alike }: Gathered): { mean: number; interval: number | null } {
  const known = meanAndInterval(values);
  const tracks = first.answers.length;
  if (!alike || tracks === 0) return known;
  if (metric !== 'accuracy') return { ...known, interval: null };
  const { low, high } = wilsonInterval(known.mean * tracks, tracks);
  return { mean: known.mean, interval: (high - low) / 2 };
}

/** Mean with half the width of its 95 % interval after Student's t: runs of one data set share tracks, so that it is optimistic. */
export function meanAndInterval(values: readonly number[]): { mean: number; interval: number | null } {
  const n = values.length;
  const mean = values.reduce((a, b) => a + b, 0) / n;
  if (n < 2) return { mean, interval: null };
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1));
  return { mean, interval: (jstat.studentt.inv(0.975, n - 1) * deviation) / Math.sqrt(n) };
}
