import type { Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';
import { distinct } from './labels.ts';
import { answer } from '../answer.ts';

/** Labels that a person sets. */
export function labelsHandlers(context: EngineContext): Pick<Handlers, 'labels.set'> {
  return {
    'labels.set': ({ libraryId, taxonomyId, changes }) =>
      answer(() => {
        const library = context.libraries.get(libraryId);
        library.taxonomies.nameOf(taxonomyId);
        const previous = library.labels.set(
          taxonomyId,
          changes.map(({ trackId, labels }) => ({ trackId, labels: distinct(labels) })),
        );
        return { previous };
      }),
  };
}
