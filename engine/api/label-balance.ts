/** How often labels are borne, before and after a reduction, in the figures of the field. */
import type { LabelsetShare } from './studies.ts';

/** How often a label is borne, by rows of the corpus or by prototypes. */
export interface LabelCount {
  name: string;
  count: number;
  /** IRLbl: the count of the most frequent label over this one's; null for a label that nothing bears. */
  imbalance: number | null;
}

export interface LabelBalance {
  /** Rarest first. */
  labels: LabelCount[];
  /** MeanIR: the mean of IRLbl over the labels that are borne; null where none is. */
  meanImbalance: number | null;
}

/** Counts labels in labelsets. @param countOf rows that bear a labelset, or prototypes */
export function balanceOf(
  names: readonly string[],
  labelsets: readonly LabelsetShare[],
  countOf: (share: LabelsetShare) => number,
): LabelBalance {
  const counts = new Map(names.map((name) => [name, 0]));
  for (const share of labelsets)
    for (const name of share.labelset) counts.set(name, (counts.get(name) ?? 0) + countOf(share));
  const most = Math.max(0, ...counts.values());
  const labels = [...counts]
    .map(([name, count]) => ({ name, count, imbalance: count === 0 ? null : most / count }))
    .sort((a, b) => a.count - b.count || (a.name < b.name ? -1 : 1));
  const borne = labels.flatMap(({ imbalance }) => imbalance ?? []);
  return {
    labels,
    meanImbalance: borne.length === 0 ? null : borne.reduce((sum, value) => sum + value, 0) / borne.length,
  };
}

/** Rows that bear both of two labels, for every pair of those named: `[names, names]`, the rows of each label on the diagonal. */
export function bornTogether(names: readonly string[], labelsets: readonly LabelsetShare[]): number[][] {
  const place = new Map(names.map((name, i) => [name, i]));
  const table = names.map(() => names.map(() => 0));
  for (const { labelset, rows } of labelsets) {
    const own = labelset.flatMap((name) => place.get(name) ?? []);
    for (const a of own)
      for (const b of own) {
        const line = table[a];
        if (line) line[b] = (line[b] ?? 0) + rows;
      }
  }
  return table;
}

/** Of every method its smallest and its largest set, in the order of the methods. */
export function smallestAndLargest<R extends { method: string; prototypeRows: number }>(
  reductions: readonly R[],
): R[] {
  const methods = [...new Set(reductions.map(({ method }) => method))];
  return methods.flatMap((method) => {
    const own = reductions.filter((reduction) => reduction.method === method);
    const sorted = own.sort((a, b) => a.prototypeRows - b.prototypeRows);
    return sorted.filter((_, i) => i === 0 || i === sorted.length - 1);
  });
}
