/** Characters of what a server says of itself. */
const MOST_SAID = 300;

/** Text of others as text: a terminal does what its control characters say. */
export const onOneLine = (text: string): string => text.replace(/[\x00-\x1f\x7f-\x9f]+/g, ' ');

/** Words of a server, on one line, without what lets one in. */
export function saidWithout(secret: string | null, words: string): string {
  const hidden = secret === null ? words : words.replaceAll(secret, '…');
  return onOneLine(hidden).slice(0, MOST_SAID);
}
