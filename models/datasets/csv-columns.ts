import { isMissing, labelWord } from '../text/index.ts';
import { tellsClasses } from './class-column.ts';
import type { DatasetWarning } from './types.ts';

/** Fewer values say nothing about what a column holds. */
const ENOUGH_VALUES = 3;
/** What pandas calls the index of a table whose column has no name. */
const INDEX_NAME = /^(|Unnamed: 0|__index_level_\d+__)$/;
const DATE = /^(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T]|$)|\d{1,2}:\d{2}(:|$))/;
const BEGINS_LIKE_A_NUMBER = /^[-+(€$£]?\s*[\d.,]/;
const NUMBER_WITH_UNIT = /^[-+]?[\d.,]+\s*\p{L}{0,4}$/u;
const NOT_TEXT = /^[-+]?inf(inity)?$/i;

/**
 * Columns of a table that describe rows and are no features: its index, text, dates. What only begins like a number is
 * none of them: a mistake in it must be told, not passed over.
 * @param free names of columns that nobody asked for
 * @param classEnd where a single label column is asked for by its place: it may be the text that gives each row its class
 */
export function describedColumns(
  header: readonly string[],
  free: readonly string[],
  rows: readonly (readonly string[])[],
  classEnd: 'first' | 'last' | null,
): { exclude: string[]; warnings: DatasetWarning[] } {
  const isFree = new Set(free);
  const columns = header.flatMap((name, column) => (isFree.has(name) ? [{ name, column }] : []));
  const index = columns.filter(({ name, column }) => column === 0 && INDEX_NAME.test(name));
  const others = columns.filter(
    ({ name, column }) => !index.some((other) => other.name === name) && !isTrailing(header, rows, column),
  );
  const values = (column: number): string[] => rows.map((row) => (row[column] ?? '').trim());
  const ends = classEnd === 'first' ? others : [...others].reverse();
  const [end, next] = ends.map(({ column }) => column);
  const classes =
    classEnd !== null &&
    end !== undefined &&
    !values(end).some((cell) => DATE.test(cell)) &&
    tellsClasses(values(end), next === undefined ? [] : values(next))
      ? end
      : -1;
  const text = columns.filter(
    ({ name, column }) =>
      column !== classes &&
      !index.some((other) => other.name === name) &&
      (holdsText(rows.map((row) => row[column] ?? '')) || isTrailing(header, rows, column)),
  );
  const names = (found: readonly { name: string }[]): string[] => found.map(({ name }) => name);
  return {
    exclude: [...names(index), ...names(text)],
    warnings: [
      ...index.map(({ name }): DatasetWarning => ({
        code: 'index-excluded',
        message: `The first column${name === '' ? '' : `, “${name}”,`} is the index of the table and left out.`,
      })),
      ...textExcluded(names(text.filter(({ name }) => name !== ''))),
    ],
  };
}

/** Says that columns of text are left out. */
export function textExcluded(names: readonly string[]): DatasetWarning[] {
  const [first = ''] = names;
  if (names.length === 0) return [];
  const which = names.length === 1 ? `“${first}” is` : `“${first}” and ${names.length - 1} more are`;
  return [{ code: 'text-excluded', message: `${which} text and left out.`, columns: names.slice(0, 100) }];
}

function holdsText(cells: readonly string[]): boolean {
  const values = cells.filter((cell) => !isMissing(cell));
  return values.length >= ENOUGH_VALUES && values.every(isText);
}

function isText(cell: string): boolean {
  if (DATE.test(cell)) return true;
  if (NOT_TEXT.test(cell) || !Number.isNaN(labelWord(cell))) return false;
  return !BEGINS_LIKE_A_NUMBER.test(cell) || (/\p{L}{2}/u.test(cell) && !NUMBER_WITH_UNIT.test(cell));
}

/** Lines that end with what parts cells make a last column without name and values. */
function isTrailing(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  column: number,
): boolean {
  return column === header.length - 1 && header[column] === '' && rows.every((row) => row[column] === '');
}
