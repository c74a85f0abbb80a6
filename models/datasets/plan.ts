import { DatasetError } from './errors.ts';
import type { LabelChoice } from './types.ts';

/** A column that is neither a feature nor a label. */
export const EXCLUDED = -0x80000000;

/** What becomes of every column of a file. */
export interface ColumnPlan {
  /** Per column: its feature number, or `-1 - label number`, or {@link EXCLUDED}. */
  targets: Int32Array;
  featureNames: string[];
  labelNames: string[];
  /** Column whose text identifies rows; -1 without one. */
  idColumn: number;
}

/** Columns by name or place, as far as {@link planColumns} understands them; an XML was read before. */
export type ColumnChoice = Exclude<LabelChoice, { kind: 'xml' }>;

/**
 * Sorts the columns of a file into features, labels and excluded ones. Both keep the order of the file. Where labels are
 * told by their number, columns that are left out do not count.
 * @throws DatasetError `shape`, `unknown-column`, `no-labels`
 */
export function planColumns(
  path: string,
  names: readonly string[],
  labels: ColumnChoice,
  exclude: readonly string[] = [],
  line?: number,
): ColumnPlan {
  const columns = columnsByName(names);
  const excluded = exclude.map((name) => findColumn(path, columns, name, 'to leave out', line));
  const isExcluded = new Uint8Array(names.length);
  for (const column of excluded) isExcluded[column] = 1;
  const isLabel = labelColumns(path, names, columns, labels, isExcluded, line);
  for (const column of excluded) {
    if (isLabel[column])
      throw new DatasetError(
        'unknown-column',
        `${path}: “${names[column] ?? ''}” cannot be a label and left out.`,
        'Name it once.',
        line,
      );
  }
  const targets = new Int32Array(names.length);
  const featureNames: string[] = [];
  const labelNames: string[] = [];
  names.forEach((name, column) => {
    if (isLabel[column]) targets[column] = -labelNames.push(name);
    else if (isExcluded[column]) targets[column] = EXCLUDED;
    else targets[column] = featureNames.push(name) - 1;
  });
  if (featureNames.length === 0)
    throw new DatasetError(
      'shape',
      `${path} has ${names.length} columns, and none is left as a feature.`,
      'Check the number of labels and the columns left out.',
      line,
    );
  return { targets, featureNames, labelNames, idColumn: excluded[0] ?? -1 };
}

function labelColumns(
  path: string,
  names: readonly string[],
  columns: ReadonlyMap<string, number[]>,
  labels: ColumnChoice,
  isExcluded: Uint8Array,
  line: number | undefined,
): Uint8Array {
  const chosen = new Uint8Array(names.length);
  if (labels.kind === 'names') {
    if (labels.names.length === 0) throw noLabels(path);
    for (const name of labels.names) chosen[findColumn(path, columns, name, 'as a label', line)] = 1;
    return chosen;
  }
  const { count } = labels;
  if (!Number.isInteger(count) || count < 1)
    throw new DatasetError(
      'shape',
      `The number of labels must be at least 1, not ${count}.`,
      'Say how many columns are labels.',
    );
  const left = names.flatMap((_, column) => (isExcluded[column] ? [] : [column]));
  if (count >= left.length)
    throw new DatasetError(
      'shape',
      `${path} has ${left.length} columns${left.length < names.length ? ` besides ${names.length - left.length} left out` : ''}, too few for ${count} labels and a feature.`,
      'Check the number of labels, and that commas, semicolons or tabs part all columns alike.',
      line,
    );
  for (const column of labels.kind === 'first' ? left.slice(0, count) : left.slice(-count))
    chosen[column] = 1;
  return chosen;
}

function columnsByName(names: readonly string[]): Map<string, number[]> {
  const columns = new Map<string, number[]>();
  names.forEach((name, column) => {
    const found = columns.get(name);
    if (found) found.push(column);
    else columns.set(name, [column]);
  });
  return columns;
}

function findColumn(
  path: string,
  columns: ReadonlyMap<string, number[]>,
  name: string,
  purpose: string,
  line: number | undefined,
): number {
  const found = columns.get(name) ?? alike(columns, name);
  const [column] = found;
  if (column !== undefined && found.length === 1) return column;
  throw new DatasetError(
    'unknown-column',
    `${path} has ${found.length === 0 ? 'no column' : `${found.length} columns`} “${name}” ${purpose}.`,
    'Use the names of the file exactly; names that are used must be unique.',
    line,
  );
}

/** Columns of the same name but for blanks around it and the form of its accents, which programs change. */
function alike(columns: ReadonlyMap<string, number[]>, name: string): number[] {
  const plain = (text: string): string => text.normalize('NFC').trim();
  const wanted = plain(name);
  return [...columns].flatMap(([other, found]) => (plain(other) === wanted ? found : []));
}

/** Nothing tells which columns are labels. */
export function noLabels(path: string): DatasetError {
  return new DatasetError(
    'no-labels',
    `Nothing tells which columns of ${path} are labels.`,
    'Give --labels name.xml (Mulan), --label-count N (the last N columns), or a file with a MEKA header (“-C 6”).',
  );
}
