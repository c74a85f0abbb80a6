import type { KnnClassifier } from '../knn/classifiers.ts';
import { fitMlKnn } from '../knn/mlknn.ts';
import { checkNeighbourCount, nearestRows } from '../knn/nearest.ts';
import type { Metric } from '../neighbours/brute.ts';
import { labelsetIds, type LabelledVectors } from '../embeddings/labelled-vectors.ts';
import { at } from '../numerics/vectors.ts';
import { GraphBuilder, type Value } from '../onnx/builder.ts';

/** A kNN classifier as it was scored. */
export interface KnnGraphOptions {
  classifier: KnnClassifier;
  /** Neighbours, `1..train.count`. */
  k: number;
  metric?: Metric;
  signal?: AbortSignal;
}

/**
 * A kNN classifier with its training set (prototypes) as one ONNX graph: `features` float32 `[batch, dim]` →
 * `labels` uint8 `[batch, L]` of 0/1 and `scores` float32 `[batch, L]`. Distances are computed in float64 inside, so
 * that the neighbours are those of `predictKnn`, except where distances are equal up to rounding; equal distances fall to
 * the lower row in both. Decisions and ties are those of golden/multilabel/SPEC.md §7.
 * @throws NumericError for a bad `k`; the signal's reason on abort
 */
export async function knnGraph(train: LabelledVectors, options: KnnGraphOptions): Promise<Uint8Array> {
  const { classifier, k, metric = 'euclidean', signal } = options;
  checkNeighbourCount(k, train.count);
  const L = train.labelNames.length;
  const g = new GraphBuilder(`${classifier}-${k}`);
  const input = g.input('features', 'float32', ['batch', train.dim]);
  const distances = distanceValues(g, input, train, metric);
  const { indices } = g.topK(distances, k, { largest: false });
  const bits = g.floats(train.labels, [train.count, L]);
  const votes = g.reduceSum(g.gather(bits, indices), [1], false);
  const { labels, scores } = await decide(g, { train, votes, indices, classifier, k, metric, signal });
  g.output('labels', g.cast(labels, 'uint8'), ['batch', L]);
  g.output('scores', scores, ['batch', L]);
  return g.build();
}

interface Ballot {
  train: LabelledVectors;
  /** `[batch, L]`, how many neighbours bear each label. */
  votes: Value;
  /** `[batch, k]`, rows of the neighbours. */
  indices: Value;
  classifier: KnnClassifier;
  k: number;
  metric: Metric;
  signal: AbortSignal | undefined;
}

async function decide(g: GraphBuilder, ballot: Ballot): Promise<{ labels: Value; scores: Value }> {
  const { classifier, votes, k } = ballot;
  const share = g.div(votes, k);
  switch (classifier) {
    case 'brknn-a':
      return { labels: g.greater(g.mul(votes, 2), k), scores: share };
    case 'brknn-b':
      return { labels: mostVoted(g, ballot), scores: share };
    case 'lpknn':
      return { labels: majorityLabelset(g, ballot), scores: share };
    case 'mlknn':
      return mlKnn(g, ballot);
  }
}

/** `[batch, n]`, float64, ascending with the distance: squared Euclidean less the query's own square, or −cosine. */
function distanceValues(g: GraphBuilder, input: Value, train: LabelledVectors, metric: Metric): Value {
  const { count, dim, features } = train;
  const query = g.cast(input, 'float64');
  const rows = doubles(g, features, [count, dim]);
  const transposed = (a: Value): Value => g.transpose(a, [1, 0]);
  if (metric === 'cosine') {
    const products = g.matMul(unit(g, query), transposed(unit(g, rows)));
    return g.neg(products);
  }
  // Around the middle the squares are small, and little is lost where they cancel.
  const middle = doubles(g, middleOf(train), [dim]);
  const centred = g.sub(rows, middle);
  const squares = g.reduceSum(g.mul(centred, centred), [1], false);
  const products = g.matMul(g.sub(query, middle), transposed(centred));
  return g.sub(squares, g.add(products, products));
}

/** Rows of length 1; a zero row stays zero, which makes its cosine with anything 0. */
function unit(g: GraphBuilder, rows: Value): Value {
  const length = g.sqrt(g.reduceSum(g.mul(rows, rows), [1], true));
  const smallest = g.cast(g.scalar(2 ** -126), 'float64');
  return g.div(rows, g.max(length, smallest));
}

/** BRkNN-b: as many labels as the neighbours bear on average (halves to even), the lower label where votes are equal. */
function mostVoted(g: GraphBuilder, { train, votes, k }: Ballot): Value {
  const L = train.labelNames.length;
  const preference = g.floats(Float32Array.from({ length: L }, (_, l) => (L - 1 - l) / L));
  const ranked = g.add(votes, preference);
  const { values } = g.topK(ranked, L, { largest: true });
  const wanted = g.op('Round', [g.div(g.reduceSum(votes, [1], true), k)]);
  const last = g.cast(g.max(g.sub(wanted, 1), 0), 'int64');
  const threshold = g.op('GatherElements', [values, last], { axis: 1 });
  const chosen = g.op('GreaterOrEqual', [ranked, threshold], {}, 'bool');
  return g.op('And', [chosen, g.greater(wanted, 0)], {}, 'bool');
}

/** LP-kNN: the labelset of most neighbours, the one that appears first in the training set where votes are equal. */
function majorityLabelset(g: GraphBuilder, { train, indices }: Ballot): Value {
  const L = train.labelNames.length;
  const { ids, firstRow } = labelsetIds(train.labels, train.count, L);
  const classOf = g.integers(Array.from(ids));
  const counted = g.reduceSum(
    g.oneHot(g.gather(classOf, indices), g.integers([firstRow.length])),
    [1],
    false,
  );
  const winner = g.argMax(counted, 1, false);
  const labelsets = firstRow.flatMap((row) => Array.from(train.labels.subarray(row * L, (row + 1) * L)));
  return g.gather(g.floats(labelsets, [firstRow.length, L]), winner);
}

/** ML-kNN: its tables, looked up by label and number of votes. */
async function mlKnn(g: GraphBuilder, ballot: Ballot): Promise<{ labels: Value; scores: Value }> {
  const { train, votes, k, metric, signal } = ballot;
  const own = await nearestRows(train, train, { k, metric, ...(signal ? { signal } : {}) });
  const { decisions, posteriors } = fitMlKnn(train, own);
  const starts = g.integers(train.labelNames.map((_, l) => l * (k + 1)));
  const cells = g.add(g.cast(votes, 'int64'), starts);
  return { labels: g.gather(g.floats(decisions), cells), scores: g.gather(g.floats(posteriors), cells) };
}

/** A float64 constant: a float32 one where that is exact, else the sum of two (48 bits). */
function doubles(g: GraphBuilder, values: ArrayLike<number>, dims: readonly number[]): Value {
  const high = Float32Array.from(values);
  const low = Float32Array.from(high, (rounded, i) => at(values, i) - rounded);
  const large = g.cast(g.floats(high, dims), 'float64');
  return low.some((rest) => rest !== 0) ? g.add(large, g.cast(g.floats(low, dims), 'float64')) : large;
}

/**
 * Of every feature the (lower) median, which is a value of the data: on coarse data (0/1 attributes) all differences from
 * it stay exact, so that equal distances stay equal. A mean would break such ties at random.
 */
function middleOf({ features, count, dim }: LabelledVectors): Float32Array {
  return Float32Array.from({ length: dim }, (_, d) => {
    const values = Float64Array.from({ length: count }, (_unused, row) => at(features, row * dim + d)).sort();
    return at(values, (count - 1) >> 1);
  });
}
