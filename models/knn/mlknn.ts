import { countVotes } from './brknn.ts';
import type { KnnOptions } from './lpknn.ts';
import type { NearestRows } from '../neighbours/brute.ts';
import { nearestRows } from './nearest.ts';
import type { LabelledVectors } from '../embeddings/labelled-vectors.ts';
import { at, type Vectors } from '../numerics/vectors.ts';

/** Laplace smoothing of priors and likelihoods. */
const smoothing = 1;

/**
 * ML-kNN (Zhang & Zhou 2007) with smoothing 1, in the variant of golden/multilabel/SPEC.md §7: a training row counts
 * among its own neighbours when the tables are fitted (the published method leaves it out), and equality predicts 1.
 * @returns `[queries.count, labels]` of 0/1.
 * @throws as `predictLpKnn`.
 */
export async function predictMlKnn(
  train: LabelledVectors,
  queries: { features: Vectors; count: number },
  options: KnnOptions,
): Promise<Uint8Array> {
  const own = await nearestRows(train, train, options);
  return applyMlKnn(train, own, await nearestRows(train, queries, options));
}

/** {@link predictMlKnn} on known neighbours: `own` of the training rows (self included), `nearest` of the queries. */
export function applyMlKnn(train: LabelledVectors, own: NearestRows, nearest: NearestRows): Uint8Array {
  return fitMlKnn(train, own).predict(nearest).labels;
}

/** ML-kNN's tables of one training set and one k, ready to decide. */
export interface FittedMlKnn {
  /** `[L, k + 1]` of 0/1: whether label l is given when j of the k neighbours bear it. */
  decisions: Uint8Array;
  /** `[L, k + 1]`: the posterior probability of label l when j of the k neighbours bear it. */
  posteriors: Float64Array;
  /** @returns `labels` `[m, L]` of 0/1 and `scores` `[m, L]`, the posterior probability of every label. */
  predict(nearest: NearestRows): { labels: Uint8Array; scores: Float64Array };
}

/** Counts, over the training rows, how many neighbours bear each label where the row itself does and does not. */
export function fitMlKnn(train: LabelledVectors, own: NearestRows): FittedMlKnn {
  const labelCount = train.labelNames.length;
  const width = own.k + 1;
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
  const decisions = new Uint8Array(labelCount * width);
  const posteriors = new Float64Array(labelCount * width);
  for (let cell = 0; cell < decisions.length; cell++) {
    const bearing = at(bearers, Math.floor(cell / width));
    const prior = (smoothing + bearing) / (2 * smoothing + train.count);
    const on = (smoothing + at(counts[1], cell)) / (smoothing * width + bearing);
    const off = (smoothing + at(counts[0], cell)) / (smoothing * width + (train.count - bearing));
    const [likely, unlikely] = [prior * on, (1 - prior) * off];
    decisions[cell] = likely >= unlikely ? 1 : 0;
    posteriors[cell] = likely / (likely + unlikely);
  }
  const predict = (nearest: NearestRows): { labels: Uint8Array; scores: Float64Array } => {
    if (nearest.k !== own.k) throw new RangeError(`fitted for k = ${own.k}, asked with k = ${nearest.k}`);
    const queries = nearest.rows.length / nearest.k;
    const labels = new Uint8Array(queries * labelCount);
    const scores = new Float64Array(queries * labelCount);
    for (let q = 0; q < queries; q++) {
      countVotes(train, nearest, q, votes);
      for (let l = 0; l < labelCount; l++) {
        const cell = l * width + at(votes, l);
        labels[q * labelCount + l] = at(decisions, cell);
        scores[q * labelCount + l] = at(posteriors, cell);
      }
    }
    return { labels, scores };
  };
  return { decisions, posteriors, predict };
}
