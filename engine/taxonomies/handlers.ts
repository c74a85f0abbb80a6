import type { Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';
import { createTaxonomy, refreshTaxonomy } from './refresh.ts';
import { answer } from '../answer.ts';

type Part = Pick<
  Handlers,
  'taxonomies.list' | 'taxonomies.create' | 'taxonomies.refresh' | 'taxonomies.remove'
>;

/** Where labels come from. */
export function taxonomiesHandlers(context: EngineContext): Part {
  const { libraries } = context;
  return {
    'taxonomies.list': ({ libraryId }) => answer(() => libraries.get(libraryId).taxonomies.list()),
    'taxonomies.create': async ({ libraryId, source, name }, { signal }) =>
      createTaxonomy(context, libraries.get(libraryId), source, { name, signal }),
    'taxonomies.refresh': async ({ libraryId, taxonomyId }, { signal }) =>
      refreshTaxonomy(context, libraries.get(libraryId), taxonomyId, signal),
    'taxonomies.remove': ({ libraryId, taxonomyId }) =>
      answer(() => {
        libraries.get(libraryId).taxonomies.remove(taxonomyId);
        return null;
      }),
  };
}
