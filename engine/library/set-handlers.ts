import { answer } from '../answer.ts';
import type { Handlers } from '../api/contract.ts';
import type { setsMethods } from '../api/sets.ts';
import type { EngineContext } from '../context.ts';

/** Sets of tracks that a person keeps under a name. */
export function setsHandlers({ libraries }: EngineContext): Pick<Handlers, keyof typeof setsMethods> {
  return {
    'sets.list': ({ libraryId }) => answer(() => libraries.get(libraryId).sets.list()),
    'sets.tracks': ({ libraryId, setId }) => answer(() => libraries.get(libraryId).sets.tracks(setId)),
    'sets.save': ({ libraryId, name, trackIds }) =>
      answer(() => libraries.get(libraryId).sets.save(name, trackIds)),
    'sets.rename': ({ libraryId, setId, name }) =>
      answer(() => libraries.get(libraryId).sets.rename(setId, name)),
    'sets.remove': ({ libraryId, setId }) =>
      answer(() => ({ trackIds: libraries.get(libraryId).sets.remove(setId) })),
    'sets.change': ({ libraryId, setId, trackIds, include }) =>
      answer(() => ({ changed: libraries.get(libraryId).sets.change(setId, trackIds, include) })),
  };
}
