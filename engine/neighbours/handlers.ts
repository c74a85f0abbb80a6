import type { Handlers } from '../api/contract.ts';
import type { WindowRef } from '../api/domain.ts';
import { EngineError } from '../api/errors.ts';
import { embedFile } from '../classify/files.ts';
import type { EngineContext } from '../context.ts';
import { nearestTo, queryNeighbours } from './query.ts';
import { meanOfRows } from './vector-ref.ts';
import { typed } from '../packs/failures.ts';

type Query = Handlers['neighbours.query'];

const contexts = new WeakMap<Query, EngineContext>();

/** What sounds alike. */
export function neighboursHandlers(context: EngineContext): Pick<Handlers, 'neighbours.query'> {
  const query: Query = ({ libraryId, ...request }) =>
    typed(() => queryNeighbours(context.libraries.get(libraryId), request));
  contexts.set(query, context);
  return { 'neighbours.query': query };
}

/**
 * Neighbours of a file that is not in the library. For the command line, which runs in the engine's process: a window
 * only asks about what it shows.
 * @throws EngineError `audio`, `pack`, `not-found`; the signal's reason
 */
export function fileNeighbours(
  handlers: Handlers,
  request: {
    libraryId: string;
    path: string;
    level: 'track' | 'window';
    k: number;
    metric: 'euclidean' | 'cosine';
  },
  signal: AbortSignal,
): Promise<WindowRef[]> {
  return typed(async () => {
    const context = contexts.get(handlers['neighbours.query']);
    if (!context) throw new EngineError('internal', 'These handlers belong to no engine.');
    const library = context.libraries.get(request.libraryId);
    const runtime = await context.packs.runtime(library.packId());
    const { vectors, count } = await embedFile(context.decode, runtime, request.path, signal);
    const mean = meanOfRows(vectors, count, runtime.pack.manifest.embeddingDim);
    return nearestTo(library, mean, request);
  });
}
