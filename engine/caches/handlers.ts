import { dirname } from 'node:path';
import { cacheKinds, cachesMethods, type LibraryCaches } from '../api/caches.ts';
import type { Handlers } from '../api/contract.ts';
import { answer } from '../answer.ts';
import { EngineError } from '../api/errors.ts';
import type { EngineContext } from '../context.ts';
import { everyChange } from '../library/changes.ts';
import { storageError } from '../storage/errors.ts';
import { cacheFolderOf, readCachePlace } from '../storage/cache-place.ts';
import { jobKind } from '../jobs/kind.ts';
import { bytesOf, emptyKind, heldOpen } from './kinds.ts';
import { leaveAll, moveCaches, requirePlace, sweepMove } from './move.ts';

type Part = Pick<Handlers, keyof typeof cachesMethods>;

/** What libraries keep that can be made again. */
export function cachesHandlers(context: EngineContext): Part {
  const { libraries, jobs, events, options } = context;
  const folderOf = (libraryId: string): string => cacheFolderOf(dirname(libraries.databaseOf(libraryId)));
  const left = leaveAll(options.dataFolder);
  jobs.register(
    jobKind({
      kind: 'move-caches',
      lane: 'network',
      spec: cachesMethods['caches.move'].input,
      title: ({ folder }) => (folder === null ? 'Move caches back' : `Move caches to ${folder}`),
      run: async ({ folder }, job) => {
        // Both write down where caches are.
        await left;
        const moved = await moveCaches(context, folder, job).finally(() => {
          for (const { id: libraryId } of libraries.list())
            for (const what of everyChange) events.emit({ type: 'library-changed', libraryId, what });
          events.emit({ type: 'libraries-changed' });
        });
        return { kind: 'move-caches', libraries: moved };
      },
      abandoned: ({ folder }, jobId) => sweepMove(options.dataFolder, folder, jobId),
    }),
  );
  const cachesOf = async (libraryId: string, name: string): Promise<LibraryCaches> => {
    const folder = folderOf(libraryId);
    const sizes = await Promise.all(cacheKinds.map(async (kind) => [kind, await bytesOf(folder, kind)]));
    return { libraryId, name, folder, bytes: Object.fromEntries(sizes) as LibraryCaches['bytes'] };
  };
  return {
    'caches.list': () => Promise.all(libraries.list().map(({ id, name }) => cachesOf(id, name))),
    'caches.place': () => answer(() => ({ folder: readCachePlace(options.dataFolder).folder })),
    'caches.move': async (spec) => {
      await requirePlace(context, spec.folder);
      return { jobId: jobs.start('move-caches', { libraryId: null, spec }) };
    },
    'caches.empty': async ({ libraryId, kind }) => {
      const folder = folderOf(libraryId);
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
