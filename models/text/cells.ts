/**
 * What a missing value looks like in tables of the field, in lower case: what pandas takes for one, Weka's `?`, MySQL's
 * `\N`, the point of SAS and Stata, and Excel's German `#NV`.
 */
const MISSING = new Set([
  ...[
    '',
    '?',
    '.',
    '\\n',
    'na',
    'n/a',
    '#n/a',
    '#n/a n/a',
    '#na',
    '#nv',
    '<na>',
    'null',
    'none',
    'nil',
    'nat',
  ],
  ...['nan', '-nan', '+nan', '1.#ind', '-1.#ind', '1.#qnan', '-1.#qnan'],
]);

/** Whether a cell says that there is no value. */
export function isMissing(cell: string): boolean {
  return cell.length <= 9 && MISSING.has(cell.toLowerCase());
}

/** Words that a label is written with beside numbers, in lower case. */
const BORNE = new Set(['true', 't', 'yes', 'y', 'wahr', 'vrai']);
const ABSENT = new Set(['false', 'f', 'no', 'n', 'falsch', 'faux']);

/**
 * Whether a cell says that a row bears a label: 1 and 0 however they are written (`1.0`, `1e0`), true and false, yes and
 * no. −1 is for those who write 1 and −1.
 * @returns 1, 0, −1 for “absent, written as −1”, NaN for anything else
 */
export function labelWord(cell: string): number {
  if (cell === '0') return 0;
  if (cell === '1') return 1;
  if (/^[-+]?[\d.,]+(e[-+]?\d+)?$/i.test(cell)) {
    const value = Number(cell.replace(',', '.'));
    return value === 0 ? 0 : value === 1 || value === -1 ? value : NaN;
  }
  const word = cell.toLowerCase();
  return BORNE.has(word) ? 1 : ABSENT.has(word) ? 0 : NaN;
}
