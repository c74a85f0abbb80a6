/**
 * Text that a spreadsheet would take for a formula and run. Quotes in front count too, so that {@link escapeFormula} and
 * {@link unescapeFormula} invert each other for every text.
 */
const FORMULA = /^'*[=+\-@\t\r＝＋－＠]/;
const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;

/** A text as a spreadsheet shows it and does not run it: with an apostrophe in front where it would be a formula. */
export function escapeFormula(text: string): string {
  return FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
}

/** Takes back what {@link escapeFormula} did. */
export function unescapeFormula(text: string): string {
  return text.startsWith("'") && FORMULA.test(text.slice(1)) ? text.slice(1) : text;
}
