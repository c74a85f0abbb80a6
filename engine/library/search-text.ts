/** Lower case without accents, so that a search for “bjork” finds “Björk”. */
export function foldText(text: string): string {
  return text
    .normalize('NFKD')
    .replaceAll(/\p{Mn}/gu, '')
    .toLowerCase();
}

/** What the search looks through, as one text. */
export function searchText(parts: readonly (string | null)[]): string {
  return foldText(parts.filter((part) => part !== null).join('\n'));
}

/** Patterns for `LIKE … ESCAPE '\'`: every word of the search must occur. */
export function searchPatterns(search: string): string[] {
  return foldText(search)
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word) => `%${word.replaceAll(/[\\%_]/g, (character) => `\\${character}`)}%`);
}
