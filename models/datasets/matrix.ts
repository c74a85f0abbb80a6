import type { Pacer } from '../numerics/pacer.ts';
import { isMissing } from '../text/index.ts';
import { classColumnOf, rowLabels } from './class-column.ts';
import { DatasetError } from './errors.ts';
import { LABEL_HINT, LabelCells } from './label-cells.ts';
import { EXCLUDED, planColumns, type ColumnChoice } from './plan.ts';
import { RowCollector } from './rows.ts';
import type { RawDataset, SourceOptions } from './source.ts';

/** A column of a binary file: NaN where a value is missing or no number. */
export interface MatrixColumn {
  name: string;
  at(row: number): number;
  /** What tells rows apart when the column is left out, and classes of a column that gives them; null where it is missing. */
  text?(row: number): string | null;
}

/**
 * Sorts columns that lie in memory into features and labels.
 * @param ids row names from elsewhere in the file
 * @throws DatasetError naming row and column (rows count from 1 here)
 */
export async function assembleRows(
  path: string,
  count: number,
  columns: readonly MatrixColumn[],
  labels: ColumnChoice,
  options: SourceOptions,
  pacer: Pacer,
  ids: string[] | null = null,
): Promise<RawDataset> {
  const plan = planColumns(
    path,
    columns.map(({ name }) => name),
    labels,
    options.exclude,
  );
  const rows = new RowCollector(path, plan);
  const labelCells = new LabelCells(plan);
  const classes = classColumnOf(path, plan);
  const used = columns.flatMap((column, i) => {
    const target = plan.targets[i] ?? EXCLUDED;
    return target === EXCLUDED ? [] : [{ column, target }];
  });
  const kept: number[] = [];
  for (let row = 0; row < count; row++) {
    rows.next();
    let keep = true;
    for (const { column, target } of used) {
      const value = column.at(row);
      if (target < 0 && classes !== null) {
        const text = classText(path, row, column, value);
        if (text === null && options.missing === 'drop-rows') keep = false;
        else classes.set(rows.count - 1, text, row + 1);
      } else if (!Number.isFinite(value)) {
        if (Number.isNaN(value) && options.missing === 'drop-rows') keep = false;
        else throw notFinite(path, row, column.name, value);
      } else if (target >= 0) rows.featureBlock[rows.featureOffset + target] = value;
      else {
        const borne = labelCells.number(-target - 1, value);
        if (borne === null) throw badLabel(path, row, column.name, value);
        rows.labelBlock[rows.labelOffset - target - 1] = borne;
      }
    }
    if (keep) {
      kept.push(row);
      if (plan.idColumn >= 0)
        rows.id(columns[plan.idColumn]?.text?.(row) ?? String(columns[plan.idColumn]?.at(row)));
    } else rows.drop();
    if (pacer.due(used.length * 8)) await pacer.pause();
  }
  if (kept.length === 0)
    throw new DatasetError('empty', `${path} holds no rows.`, 'At least one row is needed.');
  const collected = await rows.finish(pacer);
  return {
    ...collected,
    ...rowLabels(collected, plan, classes),
    rowIds: collected.rowIds ?? (ids ? kept.map((row) => ids[row] ?? '') : null),
    name: null,
    dim: plan.featureNames.length,
    featureNames: plan.featureNames,
    dropped: count - kept.length,
    nominal: new Map(),
  };
}

/** What a single label column holds in a row: null where it is missing. */
function classText(path: string, row: number, column: MatrixColumn, value: number): string | null {
  if (column.text) {
    const text = column.text(row)?.trim() ?? '';
    return isMissing(text) ? null : text;
  }
  if (Number.isNaN(value)) return null;
  if (!Number.isFinite(value)) throw notFinite(path, row, column.name, value);
  return String(value);
}

function badLabel(path: string, row: number, name: string, value: number): DatasetError {
  return new DatasetError(
    'bad-label',
    `${path}, row ${row + 1}: label “${name}” is ${value}.`,
    LABEL_HINT,
    row + 1,
  );
}

function notFinite(path: string, row: number, name: string, value: number): DatasetError {
  return new DatasetError(
    'not-a-number',
    `${path}, row ${row + 1}: the value of “${name}” is ${Number.isNaN(value) ? 'missing or no number' : String(value)}.`,
    'Fill or remove such values, leave the column out (--exclude), or drop the rows (--missing drop-rows).',
    row + 1,
  );
}
