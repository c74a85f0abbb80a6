import type { LabelsetShare } from '../../../engine/api/studies.ts';

export interface LabelDifference {
  name: string;
  a: number;
  b: number;
  change: number;
}

/** F1 of every label in both, largest difference first; empty when one was not scored by label. */
export function labelDifferences(
  names: readonly string[],
  a: readonly number[],
  b: readonly number[],
): LabelDifference[] {
  if (a.length !== names.length || b.length !== names.length) return [];
  return names
    .map((name, label) => {
      const [x, y] = [a[label] ?? 0, b[label] ?? 0];
      return { name, a: x, b: y, change: y - x };
    })
    .sort((x, y) => Math.abs(y.change) - Math.abs(x.change));
}

/** What became of the labelsets of the training data in two reductions. */
export interface LabelsetFate {
  both: LabelsetShare[];
  onlyA: LabelsetShare[];
  onlyB: LabelsetShare[];
  neither: LabelsetShare[];
  /** Borne by prototypes but by no row: majorities of mixed clusters. */
  made: LabelsetShare[];
}

/** Sorts the labelsets of two reductions of the same corpus, the most frequent first. */
export function labelsetFate(a: readonly LabelsetShare[], b: readonly LabelsetShare[]): LabelsetFate {
  const key = ({ labelset }: LabelsetShare): string => JSON.stringify(labelset);
  const inA = new Set(a.filter(({ prototypes }) => prototypes > 0).map(key));
  const inB = new Set(b.filter(({ prototypes }) => prototypes > 0).map(key));
  const all = [...new Map([...a, ...b].map((share) => [key(share), share])).values()];
  const corpus = all.filter(({ rows }) => rows > 0).sort((x, y) => y.rows - x.rows);
  const pick = (isA: boolean, isB: boolean): LabelsetShare[] =>
    corpus.filter((share) => inA.has(key(share)) === isA && inB.has(key(share)) === isB);
  return {
    both: pick(true, true),
    onlyA: pick(true, false),
    onlyB: pick(false, true),
    neither: pick(false, false),
    made: all.filter(({ rows }) => rows === 0),
  };
}
