import { gatherRows, kMeans } from '../numerics/kmeans.ts';
import type { Pacer } from '../numerics/pacer.ts';
import type { Random } from '../numerics/random.ts';
import { snapToRows } from './snap.ts';
import type { TrainParameters } from './training-parameters.ts';

/** Clusters that training starts from: until no row changes its cluster, but not for ever. */
const clusters = { surplus: 'jitter', maxIterations: 50, tolerance: 0 } as const;

/**
 * Where prototypes start: at k-means centroids of their own class, or at the windows nearest to these.
 * @param x `[n, dim]` normalised; @param rows of each class; @returns `[K, dim]`, class after class
 */
export async function startingPrototypes(
  x: Float32Array,
  dim: number,
  rows: readonly Int32Array[],
  { prototypesPerClass: perClass, initialisation }: TrainParameters,
  random: Random,
  pacer: Pacer,
): Promise<Float32Array> {
  const protos = new Float32Array(rows.length * perClass * dim);
  for (const [c, members] of rows.entries()) {
    const own = gatherRows(x, dim, members);
    const { centres } = await kMeans(own, dim, perClass, random, pacer, clusters);
    const centroids = Float32Array.from(centres);
    const start = initialisation === 'medoid' ? snapToRows(x, dim, members, centroids) : centroids;
    protos.set(start, c * perClass * dim);
  }
  return protos;
}

/**
 * Prototypes, as many of every class, moved onto the nearest training windows of their classes.
 * @param channels `[K, dim]` weights of their numbers in the distance, or null for 1
 */
export function ontoNearest(
  x: Float32Array,
  dim: number,
  rows: readonly Int32Array[],
  prototypes: Float32Array,
  channels: Float32Array | null = null,
): Float32Array {
  const share = prototypes.length / rows.length;
  const out = new Float32Array(prototypes.length);
  for (const [c, members] of rows.entries()) {
    const own = (all: Float32Array): Float32Array => all.subarray(c * share, (c + 1) * share);
    out.set(snapToRows(x, dim, members, own(prototypes), channels && own(channels)), c * share);
  }
  return out;
}
