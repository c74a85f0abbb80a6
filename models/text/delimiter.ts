/** What parts the cells of a table: commas as written in most places, semicolons where the comma is in the numbers. */
const DELIMITERS = [',', ';', '\t', '|'] as const;
export type Delimiter = (typeof DELIMITERS)[number];

/**
 * What parts the cells of a table, as its first lines tell: what stands in each of them equally often, outside quotes.
 * Excel's line `sep=;` decides where there is one.
 * @param head the first lines; its last line may be cut off
 */
export function sniffDelimiter(head: string): Delimiter {
  const told = /^("?)sep=([,;\t|])\1\r?\n/i.exec(head)?.[2];
  if (told !== undefined) return told as Delimiter;
  const lines = firstRecords(head.replace(/^(#[^\n\r]*[\n\r]+)+(?=[^\n\r])/, ''), 20);
  const [header] = lines;
  if (header === undefined) return ',';
  let best: Delimiter = ',';
  let bestScore = 0;
  for (const delimiter of DELIMITERS) {
    const count = header.get(delimiter) ?? 0;
    const steady = lines.filter((line) => (line.get(delimiter) ?? 0) === count).length / lines.length;
    const score = count === 0 ? 0 : steady + Math.min(count, 1000) / 10_000;
    if (score > bestScore) [best, bestScore] = [delimiter, score];
  }
  return best;
}

/** How often each delimiter stands in each of the first records, outside quotes. */
function firstRecords(head: string, most: number): Map<string, number>[] {
  const records: Map<string, number>[] = [];
  let counts = new Map<string, number>();
  let quoted = false;
  let empty = true;
  for (const character of head) {
    if (character === '"') quoted = !quoted;
    else if (!quoted && (character === '\n' || character === '\r')) {
      if (!empty) records.push(counts);
      if (records.length === most) return records;
      counts = new Map();
      empty = true;
      continue;
    } else if (!quoted && (DELIMITERS as readonly string[]).includes(character))
      counts.set(character, (counts.get(character) ?? 0) + 1);
    empty = false;
  }
  // A record that the head cuts off counts only where it is the only one.
  if (records.length === 0 && !empty) records.push(counts);
  return records;
}
