import { squaredDistance } from '../numerics/distances.ts';
import { at } from '../numerics/vectors.ts';
import { classesOf, soundVectors, type Represented } from './collection.ts';
import { meanOf, round } from './summary.ts';

/** Share of a sound's nearest neighbours (itself left out) that are of its class, in per cent. */
export interface NeighbourPrecision {
  k: number;
  mean: number;
  perClass: Record<string, number>;
}

/** Precision at k over all sounds of a collection, by Euclidean distance of sound vectors. */
export function neighbourPrecision(collection: Represented, k = 10): NeighbourPrecision {
  const { sounds, dim } = collection;
  const vectors = soundVectors(collection);
  const precisions = sounds.map((sound, i) => {
    const others = sounds
      .map((other, j) => ({ j, other, distance: squaredDistance(vectors, i * dim, vectors, j * dim, dim) }))
      .filter(({ j }) => j !== i)
      .sort((a, b) => a.distance - b.distance || a.j - b.j)
      .slice(0, k);
    return others.filter(({ other }) => other.class === sound.class).length / Math.max(1, others.length);
  });
  const perClass = classesOf(collection).map((name) => {
    const own = sounds.flatMap((sound, i) => (sound.class === name ? [at(precisions, i)] : []));
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
export function nearestRow(vector: Float32Array, { dim, windows }: Represented): number {
  let [best, smallest] = [0, Infinity];
  for (let row = 0; row * dim < windows.length; row++) {
    const distance = squaredDistance(vector, 0, windows, row * dim, dim);
    if (distance >= smallest) continue;
    best = row;
    smallest = distance;
  }
  return best;
}
