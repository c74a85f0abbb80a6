import { at } from '../../numerics/vectors.ts';

/** How well one label is predicted; undefined ratios are 0. */
export interface LabelReport {
  /** Rows that truly bear it. */
  support: number;
  /** Rows it was predicted for. */
  predicted: number;
  /** Rows of both kinds. */
  hits: number;
  precision: number;
  recall: number;
  f1: number;
  jaccard: number;
}

const ratio = (a: number, b: number): number => (b > 0 ? a / b : 0);

/** One report per label column of `[count, labels]` matrices of 0/1. */
export function labelReport(
  truth: Uint8Array,
  predicted: Uint8Array,
  count: number,
  labels: number,
): LabelReport[] {
  const support = new Float64Array(labels);
  const given = new Float64Array(labels);
  const both = new Float64Array(labels);
  for (let row = 0; row < count; row++)
    for (let l = 0; l < labels; l++) {
      const isTrue = at(truth, row * labels + l);
      const isPredicted = at(predicted, row * labels + l);
      support[l] = at(support, l) + isTrue;
      given[l] = at(given, l) + isPredicted;
      both[l] = at(both, l) + (isTrue & isPredicted);
    }
  return Array.from(both, (hits, l) => {
    const [t, p] = [at(support, l), at(given, l)];
    return {
      support: t,
      predicted: p,
      hits,
      precision: ratio(hits, p),
      recall: ratio(hits, t),
      f1: ratio(2 * hits, t + p),
      jaccard: ratio(hits, t + p - hits),
    };
  });
}
