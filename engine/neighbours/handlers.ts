import { basename } from 'node:path';
import { meanOfRows } from '../../models/embeddings/pooling.ts';
import type { Handlers } from '../api/contract.ts';
import type { SimilarRequest, SoundRef } from '../api/neighbours.ts';
import { embedFile } from '../classify/files.ts';
import type { EngineContext } from '../context.ts';
import type { Library } from '../library/library.ts';
import { packOfSpace } from '../packs/of-space.ts';
import { queryNeighbours } from './query.ts';
import { similarSounds, type LocatedQuery } from './similar.ts';
import { nameOfVectors, resolveVector, type LocatedVector } from './vector-ref.ts';

type Query = SimilarRequest['queries'][number];

/**
 * The vector of a sound: of a file the mean of its windows, heard with the library's pack.
 * @throws EngineError `not-found`, `audio`, `pack`; the signal's reason
 */
export async function vectorOfSound(
  context: EngineContext,
  library: Library,
  of: SoundRef,
  signal: AbortSignal,
): Promise<LocatedVector> {
  if (of.kind !== 'file') return resolveVector(library, of);
  const space = library.space();
  const { manifest } = packOfSpace(context, space, 'this library was imported with');
  const runtime = await context.packs.runtime(manifest.id, 'listen');
  const { vectors } = await embedFile(context.readers, runtime, of.path, signal);
  return { vector: meanOfRows(vectors, manifest.embeddingDim), space };
}

/** What sounds alike. */
export function neighboursHandlers(
  context: EngineContext,
): Pick<Handlers, 'neighbours.query' | 'neighbours.similar'> {
  const locate = async (
    library: Library,
    { of, weight }: Query,
    signal: AbortSignal,
  ): Promise<LocatedQuery> => ({
    ...(await vectorOfSound(context, library, of, signal)),
    ...{ of, weight, name: of.kind === 'file' ? basename(of.path) : nameOfVectors(library, [of]) },
  });
  return {
    'neighbours.query': ({ libraryId, ...request }) =>
      queryNeighbours(context.libraries.get(libraryId), request),
    'neighbours.similar': async ({ libraryId, queries, ...request }, { signal }) => {
      const library = context.libraries.get(libraryId);
      const located: LocatedQuery[] = [];
      // One file after the other: the embedder takes one at a time anyway.
      for (const query of queries) located.push(await locate(library, query, signal));
      return similarSounds(library, located, request, signal);
    },
  };
}
