import type { WindowRef } from '../api/neighbours.ts';
import type { GeneratedPrototype, Reduction } from '../api/reductions.ts';
import type { EngineContext } from '../context.ts';
import type { Library } from '../library/library.ts';
import { nearestTracksByWindow, windowRefs } from '../neighbours/nearest.ts';
import { nearestTo } from '../neighbours/query.ts';
import type { ReducedSet } from '../library/reductions.ts';

/** Real tracks shown beside a generated prototype. */
const NEAREST = 5;

/**
 * Every generated prototype with its labelset, the size of its cluster, its nearest tracks, and its sound where one
 * was made.
 * @throws EngineError `not-found`
 */
export async function generatedPrototypes(
  context: EngineContext,
  library: Library,
  reductionId: string,
): Promise<GeneratedPrototype[]> {
  const reduction = library.reductions.get(reductionId);
  const set = library.reductions.setOf(reductionId);
  const pack = reduction.space && context.packs.ofSpace(reduction.space);
  const nearest = await nearestOf(library, reduction, set);
  return set.clusterSizes.map((clusterSize, index) => ({
    index,
    labelset: labelsetOf(reduction, set, index),
    clusterSize,
    nearest: nearest[index] ?? [],
    sonification:
      reduction.space === null
        ? null
        : library.sonifications.latest(context.media, {
            packSha256: pack?.sha256 ?? reduction.space.packSha256,
            vector: set.prototypes.subarray(index * set.dim, (index + 1) * set.dim),
            sampler: pack?.manifest.sampler ?? null,
          }),
  }));
}

/** Names of the labels of a generated prototype; may be empty. */
function labelsetOf(reduction: Reduction, set: ReducedSet, index: number): string[] {
  const L = reduction.labels.length;
  return reduction.labels.filter((_, label) => set.labelsets[index * L + label] === 1);
}

async function nearestOf(library: Library, reduction: Reduction, set: ReducedSet): Promise<WindowRef[][]> {
  // The rows of a data set file are no embeddings: none of the library's tracks is near them.
  const { space, source } = reduction;
  if (space === null || source.kind === 'dataset') return [];
  if (source.level === 'window') {
    const vectors = library.embeddings.madeIn(space, 'This reduction');
    const rows = await nearestTracksByWindow(vectors, set.prototypes, NEAREST);
    return rows.map((neighbours) => windowRefs(library, vectors, neighbours));
  }
  const result: WindowRef[][] = [];
  for (let index = 0; index < set.clusterSizes.length; index++) {
    const vector = set.prototypes.subarray(index * set.dim, (index + 1) * set.dim);
    result.push(
      await nearestTo(library, { vector, space }, { level: 'track', k: NEAREST, metric: 'euclidean' }),
    );
  }
  return result;
}
