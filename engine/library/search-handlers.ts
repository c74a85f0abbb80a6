import { answer } from '../answer.ts';
import type { Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';

type Part = Pick<Handlers, 'searches.list' | 'searches.save' | 'searches.rename' | 'searches.remove'>;

/** Searches that a person keeps under a name. */
export function searchesHandlers({ libraries }: EngineContext): Part {
  return {
    'searches.list': ({ libraryId }) => answer(() => libraries.get(libraryId).searches.list()),
    'searches.save': ({ libraryId, name, search }) =>
      answer(() => libraries.get(libraryId).searches.save(name, search)),
    'searches.rename': ({ libraryId, searchId, name }) =>
      answer(() => libraries.get(libraryId).searches.rename(searchId, name)),
    'searches.remove': ({ libraryId, searchId }) =>
      answer(() => {
        libraries.get(libraryId).searches.remove(searchId);
        return null;
      }),
  };
}
