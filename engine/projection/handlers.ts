import type { Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';
import { computeProjection } from './compute.ts';

/** The library as a map. */
export function projectionHandlers(context: EngineContext): Pick<Handlers, 'projection.compute'> {
  return {
    'projection.compute': ({ libraryId, ...request }, { signal }) =>
      computeProjection(context, context.libraries.get(libraryId), request, signal),
  };
}
