import { countVotes } from './brknn.ts';
import type { KnnOptions } from './lpknn.ts';
import { nearestRows, type NearestRows } from './nearest.ts';
import type { MultilabelSet } from './set.ts';
import { at, type Vectors } from './vectors.ts';

/** Laplace smoothing of priors and likelihoods. */
const smoothing = 1;

/**
 * ML-kNN (Zhang & Zhou 2007) with smoothing 1, in the variant of golden/multilabel/SPEC.md §7: a training row counts
 * among its own neighbours when the tables are fitted (the published method leaves it out), and equality predicts 1.
 * @returns `[queries.count, labels]` of 0/1.
 * @throws as `predictLpKnn`.
 */
export async function predictMlKnn(
  train: MultilabelSet,
  queries: { features: Vectors; count: number },
  options: KnnOptions,
): Promise<Uint8Array> {
  const own = await nearestRows(train, train, options);
  return applyMlKnn(train, own, await nearestRows(train, queries, options));
}

/** {@link predictMlKnn} on known neighbours: `own` of the training rows (self included), `nearest` of the queries. */
export function applyMlKnn(train: MultilabelSet, own: NearestRows, nearest: NearestRows): Uint8Array {
  const { k } = nearest;
  const labelCount = train.labelNames.length;
  const width = k + 1;
  // counts[0] of rows without the label, counts[1] with it: [labels, k + 1] by number of neighbours bearing it.
  const counts = [new Float64Array(labelCount * width), new Float64Array(labelCount * width)] as const;
  const bearers = new Float64Array(labelCount);
  const votes = new Int32Array(labelCount);
  for (let row = 0; row < train.count; row++) {
    countVotes(train, own, row, votes);
    for (let l = 0; l < labelCount; l++) {
      const on = at(train.labels, row * labelCount + l);
      const table = on === 1 ? counts[1] : counts[0];
      const cell = l * width + at(votes, l);
      table[cell] = at(table, cell) + 1;
      bearers[l] = at(bearers, l) + on;
    }
  }
  const queries = nearest.rows.length / k;
  const predicted = new Uint8Array(queries * labelCount);
  for (let q = 0; q < queries; q++) {
    countVotes(train, nearest, q, votes);
    for (let l = 0; l < labelCount; l++) {
      const cell = l * width + at(votes, l);
      const prior = (smoothing + at(bearers, l)) / (2 * smoothing + train.count);
      const on = (smoothing + at(counts[1], cell)) / (smoothing * width + at(bearers, l));
      const off = (smoothing + at(counts[0], cell)) / (smoothing * width + (train.count - at(bearers, l)));
      predicted[q * labelCount + l] = prior * on >= (1 - prior) * off ? 1 : 0;
    }
  }
  return predicted;
}
