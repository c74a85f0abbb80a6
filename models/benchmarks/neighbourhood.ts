import { squaredDistance } from '../numerics/distances.ts';
import { at } from '../numerics/vectors.ts';
import type { LabelledWindows } from '../embeddings/labelled-vectors.ts';
import { poolTracks } from '../embeddings/pooling.ts';
import { borneLabels, classOfTracks } from '../embeddings/tracks.ts';
import { meanOf, round } from './summary.ts';

/** Share of a sound's nearest neighbours (itself left out) that are of its class, in per cent. */
export interface NeighbourPrecision {
  k: number;
  mean: number;
  perClass: Record<string, number>;
}

/** Precision at k over all sounds of a collection, by Euclidean distance of sound vectors. */
export function neighbourPrecision(collection: LabelledWindows, k = 10): NeighbourPrecision {
  const { dim, features } = poolTracks(collection);
  const classes = classOfTracks(collection);
  const precisions = classes.map((own, i) => {
    const others = classes
      .map((name, j) => ({ j, name, distance: squaredDistance(features, i * dim, features, j * dim, dim) }))
      .filter(({ j }) => j !== i)
      .sort((a, b) => a.distance - b.distance || a.j - b.j)
      .slice(0, k);
    return others.filter(({ name }) => name === own).length / Math.max(1, others.length);
  });
  const perClass = borneLabels(collection).map((name) => {
    const own = classes.flatMap((other, i) => (other === name ? [at(precisions, i)] : []));
    return [name, round(100 * meanOf(own), 1)] as const;
  });
  return { k, mean: round(100 * meanOf(precisions), 1), perClass: Object.fromEntries(perClass) };
}

/** Distance from every row of `vectors` to its nearest row of `others`, leaving out rows that `skip` names. */
export function nearestDistances(
  vectors: readonly Float32Array[],
  others: readonly Float32Array[],
  skip: (row: number, other: number) => boolean = () => false,
): number[] {
  return vectors.map((vector, row) => {
    let smallest = Infinity;
    others.forEach((other, j) => {
      if (!skip(row, j)) smallest = Math.min(smallest, squaredDistance(vector, 0, other, 0, vector.length));
    });
    return Math.sqrt(smallest);
  });
}

/** The window of a collection whose vector is nearest. */
export function nearestRow(vector: Float32Array, { dim, features, count }: LabelledWindows): number {
  let [best, smallest] = [0, Infinity];
  for (let row = 0; row < count; row++) {
    const distance = squaredDistance(vector, 0, features, row * dim, dim);
    if (distance >= smallest) continue;
    best = row;
    smallest = distance;
  }
  return best;
}
