import type { Handlers } from '../api/contract.ts';
import type { LibrarySpace, LibrarySummary } from '../api/libraries.ts';
import type { EngineContext } from '../context.ts';
import type { Library } from './library.ts';
import { answer } from '../answer.ts';

type Part = Pick<
  Handlers,
  | 'libraries.list'
  | 'libraries.open'
  | 'libraries.get'
  | 'libraries.spaces'
  | 'libraries.relink'
  | 'libraries.remove'
>;

/** Which libraries there are, and where their music lies. */
export function librariesHandlers(context: EngineContext): Part {
  const { libraries, jobs, backups, events } = context;

  const changed = (library: Library): LibrarySummary => {
    events.emit({ type: 'libraries-changed' });
    return library.summary();
  };

  return {
    'libraries.list': () => answer(() => libraries.list()),
    'libraries.open': ({ folder, name, windows, packId }) =>
      answer(() => {
        // Asked for first: a library of a pack that is not there could never be imported.
        if (packId !== undefined) context.packs.get(packId);
        return changed(
          libraries.open(folder, {
            ...(windows === undefined ? {} : { windows }),
            ...(packId === undefined ? {} : { packId }),
            ...(name === undefined ? {} : { name }),
          }),
        );
      }),
    'libraries.spaces': ({ libraryId }) => answer(() => embeddedSpaces(libraries.get(libraryId))),
    'libraries.get': ({ libraryId }) => answer(() => libraries.get(libraryId).summary()),
    'libraries.relink': ({ libraryId, folder }) => answer(() => changed(libraries.relink(libraryId, folder))),
    'libraries.remove': async ({ libraryId }) => {
      const own = jobs.list().filter((job) => job.libraryId === libraryId && job.finishedAt === null);
      for (const job of own) jobs.cancel(job.id);
      await Promise.all(own.map((job) => jobs.waitFor(job.id)));
      await backups.idle(libraryId);
      libraries.remove(libraryId);
      events.emit({ type: 'libraries-changed' });
      return null;
    },
  };
}

function embeddedSpaces(library: Library): LibrarySpace[] {
  const current = library.space().key;
  return library.spaces
    .list()
    .map((space) => ({ ...space, tracks: library.embeddings.tracks(space).trackIds.length }))
    .filter(({ tracks }) => tracks > 0)
    .sort((a, b) => Number(b.key === current) - Number(a.key === current) || b.tracks - a.tracks);
}
