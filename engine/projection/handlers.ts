import type { Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';
import { computeProjection } from './compute.ts';
import { computeTrust } from './trust.ts';

/** The library as a map. */
export function projectionHandlers(
  context: EngineContext,
): Pick<Handlers, 'projection.compute' | 'projection.trust' | 'projection.column'> {
  const { libraries } = context;
  return {
    'projection.compute': ({ libraryId, ...request }, { signal }) =>
      computeProjection(context, libraries.get(libraryId), request, signal),
    'projection.trust': ({ libraryId, ...request }, { signal }) =>
      computeTrust(libraries.get(libraryId), request, signal),
    'projection.column': ({ libraryId, column, ...scope }) =>
      Promise.resolve(libraries.get(libraryId).columns.read(column, scope)),
  };
}
