import { answer } from '../answer.ts';
import type { Handlers } from '../api/contract.ts';
import { EngineError } from '../api/errors.ts';
import type { playlistsMethods } from '../api/playlists.ts';
import type { EngineContext } from '../context.ts';
import { addFolders, addPlaylists, playlistInfo } from './add.ts';

const MOST_UNMATCHED = 1000;

/** Playlists of the person. */
export function playlistsHandlers(context: EngineContext): Pick<Handlers, keyof typeof playlistsMethods> {
  const { libraries } = context;
  return {
    'playlists.list': async ({ libraryId }) =>
      (await libraries.get(libraryId).playlists.matched()).map(playlistInfo),
    'playlists.unmatched': async ({ libraryId, playlistId }) => {
      const all = await libraries.get(libraryId).playlists.matched();
      const found = all.find(({ id }) => id === playlistId);
      if (!found)
        throw new EngineError('not-found', 'There is no such playlist.', 'It may have been removed.');
      return found.unmatchedEntries.slice(0, MOST_UNMATCHED);
    },
    'playlists.add': async ({ libraryId, paths }, { signal }) =>
      addPlaylists(context, libraries.get(libraryId), paths, signal),
    'playlists.addFolders': async ({ libraryId }) => addFolders(libraries.get(libraryId)),
    'playlists.remove': ({ libraryId, playlistIds }) =>
      answer(() => {
        libraries.get(libraryId).playlists.remove(playlistIds);
        return null;
      }),
  };
}
