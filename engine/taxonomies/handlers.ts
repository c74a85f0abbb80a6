import type { Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';
import { createTaxonomy, listTaxonomies, removeTaxonomy } from './store.ts';
import { answer } from '../answer.ts';

type Part = Pick<Handlers, 'taxonomies.list' | 'taxonomies.create' | 'taxonomies.remove'>;

/** Where labels come from. */
export function taxonomiesHandlers(context: EngineContext): Part {
  const { libraries, events } = context;
  return {
    'taxonomies.list': ({ libraryId }) => answer(() => listTaxonomies(libraries.get(libraryId))),
    'taxonomies.create': ({ libraryId, source, name }) =>
      answer(() => {
        const taxonomy = createTaxonomy(libraries.get(libraryId), source, name);
        events.emit({ type: 'library-changed', libraryId, what: 'taxonomies' });
        return taxonomy;
      }),
    'taxonomies.remove': ({ libraryId, taxonomyId }) =>
      answer(() => {
        removeTaxonomy(libraries.get(libraryId), taxonomyId);
        events.emit({ type: 'library-changed', libraryId, what: 'taxonomies' });
        return null;
      }),
  };
}
