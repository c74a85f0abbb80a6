import type { Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';
import { setLabels } from './labelsets.ts';
import { getTaxonomy } from './store.ts';
import { answer } from '../answer.ts';

/** Labels that a person sets. */
export function labelsHandlers(context: EngineContext): Pick<Handlers, 'labels.set'> {
  return {
    'labels.set': ({ libraryId, taxonomyId, changes }) =>
      answer(() => {
        const library = context.libraries.get(libraryId);
        getTaxonomy(library, taxonomyId);
        const previous = setLabels(library, taxonomyId, changes);
        context.events.emit({ type: 'library-changed', libraryId, what: 'taxonomies' });
        return { previous };
      }),
  };
}
