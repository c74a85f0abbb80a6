import { meanOfRows } from '../../models/embeddings/pooling.ts';
import type { Handlers } from '../api/contract.ts';
import { embedFile } from '../classify/files.ts';
import type { EngineContext } from '../context.ts';
import { nearestTo, queryNeighbours } from './query.ts';
import { packOfSpace } from '../packs/of-space.ts';

/** What sounds alike. */
export function neighboursHandlers(
  context: EngineContext,
): Pick<Handlers, 'neighbours.query' | 'neighbours.file'> {
  return {
    'neighbours.query': ({ libraryId, ...request }) =>
      queryNeighbours(context.libraries.get(libraryId), request),
    'neighbours.file': async ({ libraryId, path, ...request }, { signal }) => {
      const library = context.libraries.get(libraryId);
      const space = library.space();
      const { manifest } = packOfSpace(context, space, 'this library was imported with');
      const runtime = await context.packs.runtime(manifest.id, 'listen');
      const { vectors } = await embedFile(context.decode, runtime, path, signal);
      return nearestTo(library, { vector: meanOfRows(vectors, manifest.embeddingDim), space }, request);
    },
  };
}
