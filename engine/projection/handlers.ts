import type { Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';
import { asEngineError } from '../packs/failures.ts';
import { computeProjection } from './compute.ts';

/** The library as a map. */
export function projectionHandlers(context: EngineContext): Pick<Handlers, 'projection.compute'> {
  return {
    'projection.compute': async function* ({ libraryId, ...request }, { signal }) {
      try {
        yield* computeProjection(context, context.libraries.get(libraryId), request, signal);
      } catch (thrown) {
        throw asEngineError(thrown);
      }
    },
  };
}
