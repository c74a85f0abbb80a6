import type { Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';
import { addPrototype, removePrototype, restoreRevision } from './edit.ts';
import { listPrototypes } from './list.ts';

type Part = Pick<Handlers, 'prototypes.list' | 'prototypes.remove' | 'prototypes.add' | 'prototypes.restore'>;

/** The prototypes of an experiment, and edits of them; every edit is a revision that can be undone. */
export function prototypesHandlers(context: EngineContext): Part {
  const library = (id: string) => context.libraries.get(id);
  return {
    'prototypes.list': ({ libraryId, experimentId }, { signal }) =>
      listPrototypes(context, library(libraryId), experimentId, signal),
    'prototypes.remove': ({ libraryId, ...request }, { signal }) =>
      removePrototype(library(libraryId), request, signal),
    'prototypes.add': ({ libraryId, ...request }, { signal }) =>
      addPrototype(library(libraryId), request, signal),
    'prototypes.restore': ({ libraryId, ...request }, { signal }) =>
      restoreRevision(library(libraryId), request, signal),
  };
}
