/** Ranks of numbers, 1 for the smallest; equal numbers share the mean of their places. */
export function averageRanks(values: readonly number[]): { ranks: number[]; ties: number[] } {
  const order = Array.from(values.keys()).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const ranks = new Array<number>(values.length).fill(0);
  const ties: number[] = [];
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (end < order.length && values[order[end] ?? -1] === values[order[start] ?? -1]) end++;
    for (const place of order.slice(start, end)) ranks[place] = (start + 1 + end) / 2;
    if (end - start > 1) ties.push(end - start);
    start = end;
  }
  return { ranks, ties };
}

/** Σ (t³ − t) over groups of `t` equal numbers: what ties take from a rank statistic's variance. */
export function tieSum(ties: readonly number[]): number {
  return ties.reduce((sum, t) => sum + t ** 3 - t, 0);
}
