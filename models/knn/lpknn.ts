import type { Metric, NearestRows } from '../neighbours/brute.ts';
import { nearestRows } from './nearest.ts';
import { labelsetIds, type LabelledVectors } from '../embeddings/labelled-vectors.ts';
import { at, type Vectors } from '../numerics/vectors.ts';

/** What every kNN classifier here needs to know. */
export interface KnnOptions {
  /** Number of neighbours, `1..train.count`. */
  k: number;
  metric?: Metric;
  signal?: AbortSignal;
}

/**
 * Label-powerset kNN: every distinct labelset is a class, the majority class of the k nearest rows is predicted.
 * Equal votes go to the labelset that appears first in the whole training set (not to the nearest neighbour's):
 * golden/multilabel/SPEC.md §7. An empty labelset is a class like any other.
 * @returns `[queries.count, labels]` of 0/1.
 * @throws NumericError for a bad `k`, wrong sizes or a query that is not finite; the signal's reason on abort.
 */
export async function predictLpKnn(
  train: LabelledVectors,
  queries: { features: Vectors; count: number },
  options: KnnOptions,
): Promise<Uint8Array> {
  return voteLabelsets(train, await nearestRows(train, queries, options));
}

/** The voting of {@link predictLpKnn} on neighbours that are already known. */
export function voteLabelsets(train: LabelledVectors, nearest: NearestRows): Uint8Array {
  const { k, rows } = nearest;
  const labelCount = train.labelNames.length;
  const { ids, firstRow } = labelsetIds(train.labels, train.count, labelCount);
  const queries = rows.length / k;
  const predicted = new Uint8Array(queries * labelCount);
  const votes = new Int32Array(firstRow.length);
  for (let q = 0; q < queries; q++) {
    let best = firstRow.length;
    let bestVotes = 0;
    for (let j = q * k; j < (q + 1) * k; j++) {
      const id = at(ids, at(rows, j));
      const count = at(votes, id) + 1;
      votes[id] = count;
      if (count > bestVotes || (count === bestVotes && id < best)) {
        best = id;
        bestVotes = count;
      }
    }
    for (let j = q * k; j < (q + 1) * k; j++) votes[at(ids, at(rows, j))] = 0;
    const source = at(firstRow, best) * labelCount;
    predicted.set(train.labels.subarray(source, source + labelCount), q * labelCount);
  }
  return predicted;
}
