import type { MadeAndReal } from '../engine/api/quality.ts';

/** Text for people: aligned tables and short numbers, without colours, so that it is the same in a file. */
export interface Column<Row> {
  title: string;
  value: (row: Row) => string;
  align?: 'left' | 'right';
}

/** An aligned table; two spaces between columns, a header line. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ value }) => value(row))),
  ];
  const widths = columns.map((_, c) => Math.max(...cells.map((line) => width(line[c] ?? ''))));
  return cells
    .map((line) =>
      columns
        .map(({ align }, c) => pad(line[c] ?? '', widths[c] ?? 0, align ?? 'left'))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Name and value, one pair a line, values aligned. */
export function pairs(rows: readonly (readonly [string, string])[]): string {
  const longest = Math.max(...rows.map(([name]) => width(name)));
  return rows.map(([name, value]) => `${pad(name, longest, 'left')}  ${value}`.trimEnd()).join('\n');
}

/** The first of many names, and how many more there are: a thousand of them in a line are no longer read. */
export function someOf(names: readonly string[], between = ', ', most = 12): string {
  const rest = names.length - most;
  return [...names.slice(0, most), ...(rest > 0 ? [`… ${rest} more`] : [])].join(between);
}

/** 0.1234 → `12.3 %`. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** Seconds as `42 s`, `3 min 05 s` or `1 h 02 min`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (n: number): string => String(n).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}

/** Bytes as `3.1 MB`. */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, count)) / 3));
  return `${(count / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power] ?? 'B'}`;
}

/** Terminals count code points, not UTF-16 units; marks that combine take no room of their own. */
function width(text: string): number {
  return Array.from(text.normalize('NFC').replace(/\p{Mn}/gu, '')).length;
}

function pad(text: string, to: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, to - width(text)));
  return align === 'left' ? text + space : space + text;
}

/** What was damaged in a file that could be read all the same, for a column of problems. */
export function damage(note: string | null): string {
  return note === null ? '' : `damaged, but read: ${note}`;
}

/** A median over sounds that were made, with that over real ones in brackets. */
export const madeAndReal = (both: MadeAndReal | null): string =>
  both === null ? '–' : `${both.made.toFixed(2)} (${both.real.toFixed(2)})`;
