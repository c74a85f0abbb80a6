export type Cell = string | number | null;

/** A table as CSV (RFC 4180, UTF-8, CRLF): cells are quoted where they have to be; null is an empty cell. */
export function writeCsv(header: readonly string[], rows: Iterable<readonly Cell[]>): string {
  return [...csvLines(header, rows)].join('');
}

/** {@link writeCsv} line by line: a large table would be too long for one string. */
export function* csvLines(header: readonly string[], rows: Iterable<readonly Cell[]>): Generator<string> {
  yield line(header);
  for (const row of rows) yield line(row);
}

/** Rows made one after the other, when they are written. */
export function* mapped<T>(
  items: Iterable<T>,
  row: (item: T) => readonly Cell[],
): Generator<readonly Cell[]> {
  for (const item of items) yield row(item);
}

const line = (row: readonly Cell[]): string => `${row.map(cell).join(',')}\r\n`;

function cell(value: Cell): string {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
