import { escapeFormula } from '../../models/text/index.ts';

export type Cell = string | number | null;

export interface CsvOptions {
  /**
   * Leaves text as it is that a spreadsheet would take for a formula. By default it gets an apostrophe in front, because
   * names of folders and files come from anywhere and a spreadsheet runs what begins with `=`, `+`, `-` or `@`. Numbers
   * never get one.
   */
  raw?: boolean;
}

/** A table as CSV (RFC 4180, UTF-8, CRLF): cells are quoted where they have to be; null is an empty cell. */
export function writeCsv(
  header: readonly string[],
  rows: Iterable<readonly Cell[]>,
  options: CsvOptions = {},
): string {
  return [...csvLines(header, rows, options)].join('');
}

/** {@link writeCsv} line by line: a large table would be too long for one string. */
export function* csvLines(
  header: readonly string[],
  rows: Iterable<readonly Cell[]>,
  { raw = false }: CsvOptions = {},
): Generator<string> {
  yield csvLine(header, raw);
  for (const row of rows) yield csvLine(row, raw);
}

/** Rows made one after the other, when they are written. */
export function* mapped<T>(
  items: Iterable<T>,
  row: (item: T) => readonly Cell[],
): Generator<readonly Cell[]> {
  for (const item of items) yield row(item);
}

/** One line of {@link csvLines}. */
export const csvLine = (row: readonly Cell[], raw: boolean): string =>
  `${row.map((value) => cell(value, raw)).join(',')}\r\n`;

function cell(value: Cell, raw: boolean): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const text = raw ? value : escapeFormula(value);
  // Many readers cut blanks off the end of an unquoted line.
  return /[",\r\n;\t|]|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
