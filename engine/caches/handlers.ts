import { dirname } from 'node:path';
import { cacheKinds, type LibraryCaches } from '../api/caches.ts';
import type { Handlers } from '../api/contract.ts';
import { EngineError } from '../api/errors.ts';
import type { EngineContext } from '../context.ts';
import { everyChange } from '../library/changes.ts';
import { storageError } from '../storage/errors.ts';
import { bytesOf, emptyKind, heldOpen } from './kinds.ts';

type Part = Pick<Handlers, 'caches.list' | 'caches.empty'>;

/** What libraries keep that can be made again. */
export function cachesHandlers({ libraries, jobs, events }: EngineContext): Part {
  const cachesOf = async (libraryId: string, name: string): Promise<LibraryCaches> => {
    const folder = dirname(libraries.databaseOf(libraryId));
    const sizes = await Promise.all(cacheKinds.map(async (kind) => [kind, await bytesOf(folder, kind)]));
    return { libraryId, name, folder, bytes: Object.fromEntries(sizes) as LibraryCaches['bytes'] };
  };
  return {
    'caches.list': () => Promise.all(libraries.list().map(({ id, name }) => cachesOf(id, name))),
    'caches.empty': async ({ libraryId, kind }) => {
      const folder = dirname(libraries.databaseOf(libraryId));
      if (jobs.busy(libraryId))
        throw new EngineError(
          'library-busy',
          'A job still works on this library.',
          'Wait for it or cancel it, then try again.',
        );
      // It writes into what goes.
      if (heldOpen(kind) || kind === 'sounds') await jobs.endBackground(libraryId);
      try {
        if (heldOpen(kind)) await libraries.whileClosed(libraryId, () => emptyKind(folder, kind));
        else await emptyKind(folder, kind);
      } catch (thrown) {
        throw storageError(thrown, folder);
      }
      if (heldOpen(kind)) {
        for (const what of everyChange) events.emit({ type: 'library-changed', libraryId, what });
        events.emit({ type: 'libraries-changed' });
      }
      const { name } = libraries.get(libraryId).summary();
      return cachesOf(libraryId, name);
    },
  };
}
