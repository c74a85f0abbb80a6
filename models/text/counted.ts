/** “1 track”, “2 tracks”, “no tracks”. @param many by default with an s */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count === 0 ? 'no' : count} ${count === 1 ? one : many}`;
}

/** “There is 1 track”, “There are 2 tracks”, “There are no tracks”. */
export function thereAre(count: number, one: string, many?: string): string {
  return `There ${count === 1 ? 'is' : 'are'} ${counted(count, one, many)}`;
}
