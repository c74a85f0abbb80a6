import type { KnnOptions } from './lpknn.ts';
import type { NearestRows } from '../neighbours/brute.ts';
import { nearestRows } from './nearest.ts';
import type { LabelledVectors } from '../embeddings/labelled-vectors.ts';
import { at, type Vectors } from '../numerics/vectors.ts';

/**
 * `a`: a label is on when a strict majority of the k neighbours bears it.
 * `b`: the m labels with most votes, m = mean labelset size of the neighbours rounded half to even; lower label on ties.
 */
export type BrKnnVariant = 'a' | 'b';

/**
 * Binary-relevance kNN (Spyromitros et al. 2008), as golden/multilabel/SPEC.md §7 states the intended behaviour.
 * @returns `[queries.count, labels]` of 0/1.
 * @throws as `predictLpKnn`.
 */
export async function predictBrKnn(
  train: LabelledVectors,
  queries: { features: Vectors; count: number },
  options: KnnOptions & { variant: BrKnnVariant },
): Promise<Uint8Array> {
  return voteLabels(train, await nearestRows(train, queries, options), options.variant);
}

/** The voting of {@link predictBrKnn} on neighbours that are already known. */
export function voteLabels(train: LabelledVectors, nearest: NearestRows, variant: BrKnnVariant): Uint8Array {
  const { k } = nearest;
  const labelCount = train.labelNames.length;
  const queries = nearest.rows.length / k;
  const predicted = new Uint8Array(queries * labelCount);
  const votes = new Int32Array(labelCount);
  for (let q = 0; q < queries; q++) {
    const total = countVotes(train, nearest, q, votes);
    const out = predicted.subarray(q * labelCount, (q + 1) * labelCount);
    if (variant === 'a') {
      for (let l = 0; l < labelCount; l++) out[l] = 2 * at(votes, l) > k ? 1 : 0;
    } else {
      const order = Array.from(votes.keys()).sort((x, y) => at(votes, y) - at(votes, x) || x - y);
      for (const label of order.slice(0, roundHalfToEven(total / k))) out[label] = 1;
    }
  }
  return predicted;
}

/** Fills `votes[labels]` for query `q`; returns their sum. */
export function countVotes(
  train: LabelledVectors,
  nearest: NearestRows,
  q: number,
  votes: Int32Array,
): number {
  votes.fill(0);
  let total = 0;
  for (let j = q * nearest.k; j < (q + 1) * nearest.k; j++) {
    const offset = at(nearest.rows, j) * votes.length;
    for (let l = 0; l < votes.length; l++) {
      const on = at(train.labels, offset + l);
      votes[l] = at(votes, l) + on;
      total += on;
    }
  }
  return total;
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
