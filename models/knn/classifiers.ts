import { countVotes, voteLabels } from './brknn.ts';
import type { KnnOptions } from './lpknn.ts';
import { voteLabelsets } from './lpknn.ts';
import { fitMlKnn } from './mlknn.ts';
import type { NearestRows } from '../neighbours/brute.ts';
import { checkNeighbourCount, cutNearest, nearestRows } from './nearest.ts';
import type { LabelledVectors } from '../embeddings/labelled-vectors.ts';
import { at, type Vectors } from '../numerics/vectors.ts';

/** The kNN classifiers of golden/multilabel/SPEC.md §7, each in its intended (not the reference's broken) form. */
export type KnnClassifier = 'brknn-a' | 'brknn-b' | 'lpknn' | 'mlknn';

/** What to call them and what they do, in the order they are offered. */
export const knnClassifiers: readonly { name: KnnClassifier; title: string; description: string }[] = [
  {
    name: 'lpknn',
    title: 'LP-kNN',
    description: 'Every distinct labelset is a class; the most frequent one among the neighbours is given.',
  },
  {
    name: 'brknn-a',
    title: 'BRkNN-a',
    description: 'A label is given when more than half of the neighbours bear it.',
  },
  {
    name: 'brknn-b',
    title: 'BRkNN-b',
    description: 'The most frequent labels of the neighbours, as many as the neighbours bear on average.',
  },
  {
    name: 'mlknn',
    title: 'ML-kNN',
    description:
      'A label is given when the neighbours’ votes make it likelier than not (Bayes, smoothing 1).',
  },
];

/** Predictions for `m` queries over `L` labels. */
export interface KnnPrediction {
  /** `[m, L]` of 0/1. */
  labels: Uint8Array;
  /**
   * `[m, L]` in 0..1: how sure the classifier is of each label, for measures of ranking. The share of the neighbours
   * bearing the label; for ML-kNN the posterior probability. Not always on the side of 0.5 that `labels` is: LP-kNN
   * and BRkNN-b decide on whole labelsets.
   */
  scores: Float64Array;
}

/** Queries in the feature space of the training rows. */
export interface KnnQueries {
  /** `[count, dim]`, row-major, finite. */
  features: Vectors;
  count: number;
}

/**
 * Predicts the labels of `queries` from the k nearest training rows (exact; ties by the lower row).
 * @throws NumericError for a bad `k`, wrong sizes or a query that is not finite; the signal's reason on abort.
 */
export async function predictKnn(
  classifier: KnnClassifier,
  train: LabelledVectors,
  queries: KnnQueries,
  options: KnnOptions,
): Promise<KnnPrediction> {
  const byK = await predictManyKnn([classifier], train, queries, { ...options, ks: [options.k] });
  const prediction = byK[0]?.prediction;
  if (!prediction) throw new Error('one classifier and one k give one prediction');
  return prediction;
}

/** One cell of the grid {@link predictManyKnn} computes. */
export interface KnnGridCell {
  classifier: KnnClassifier;
  k: number;
  prediction: KnnPrediction;
}

/**
 * Several classifiers and neighbour counts over one neighbour search (and, for ML-kNN, one search among the training
 * rows): what scoring a reduced set needs.
 * @param options `ks`: neighbour counts, each `1..train.count`.
 * @returns one cell per classifier × k, classifiers outermost, in the order given.
 * @throws as {@link predictKnn}.
 */
export async function predictManyKnn(
  classifiers: readonly KnnClassifier[],
  train: LabelledVectors,
  queries: KnnQueries,
  options: Omit<KnnOptions, 'k'> & { ks: readonly number[] },
): Promise<KnnGridCell[]> {
  const { ks, ...rest } = options;
  if (ks.length === 0 || classifiers.length === 0) return [];
  for (const k of ks) checkNeighbourCount(k, train.count);
  const search = { ...rest, k: Math.max(...ks) };
  const nearest = await nearestRows(train, queries, search);
  const own = classifiers.includes('mlknn') ? await nearestRows(train, train, search) : null;
  return classifiers.flatMap((classifier) =>
    ks.map((k) => ({
      classifier,
      k,
      prediction: classifyRows(
        classifier,
        train,
        cutNearest(nearest, k),
        own === null ? null : cutNearest(own, k),
      ),
    })),
  );
}

/**
 * A classifier's decision on neighbours that are already known.
 * @param own neighbours of the training rows (self included), which ML-kNN is fitted on; unused by the others.
 */
export function classifyRows(
  classifier: KnnClassifier,
  train: LabelledVectors,
  nearest: NearestRows,
  own: NearestRows | null,
): KnnPrediction {
  if (classifier === 'mlknn') {
    if (own === null) throw new Error('ML-kNN needs the neighbours of the training rows');
    return fitMlKnn(train, own).predict(nearest);
  }
  const scores = voteShares(train, nearest);
  if (classifier === 'lpknn') return { labels: voteLabelsets(train, nearest), scores };
  return { labels: voteLabels(train, nearest, classifier === 'brknn-a' ? 'a' : 'b'), scores };
}

/** `[m, L]`: the share of each query's neighbours that bears each label. */
function voteShares(train: LabelledVectors, nearest: NearestRows): Float64Array {
  const labelCount = train.labelNames.length;
  const queries = nearest.rows.length / nearest.k;
  const shares = new Float64Array(queries * labelCount);
  const votes = new Int32Array(labelCount);
  for (let q = 0; q < queries; q++) {
    countVotes(train, nearest, q, votes);
    for (let l = 0; l < labelCount; l++) shares[q * labelCount + l] = at(votes, l) / nearest.k;
  }
  return shares;
}
