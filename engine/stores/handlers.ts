import type { Handlers } from '../api/contract.ts';
import { EngineError } from '../api/errors.ts';
import type { EngineContext } from '../context.ts';
import { vectorOfSound } from '../neighbours/handlers.ts';
import { fillStore } from './fill.ts';
import { LibrarySearch } from './library-search.ts';
import { openStore } from './open.ts';
import type { FoundWindow, VectorStore } from './vector-store.ts';

/** A vector store that this run was started with. */
export function storesHandlers(context: EngineContext): Pick<Handlers, 'stores.fill' | 'stores.search'> {
  const open = async (): Promise<VectorStore> => {
    const { store } = context.options;
    if (store) return openStore(store);
    throw new EngineError(
      'not-permitted',
      'No vector store was named when Archetone was started.',
      'Vector stores are for the command line: archetone store --help',
    );
  };
  return {
    'stores.fill': async function* ({ libraryId, metric }, { signal }) {
      const store = await open();
      try {
        yield* fillStore(context.libraries.get(libraryId), store, metric, signal);
      } finally {
        await store.close();
      }
    },
    'stores.search': async ({ libraryId, of, k, exact, check }, { signal }) => {
      const store = await open();
      try {
        const library = context.libraries.get(libraryId);
        const { vector, space } = await vectorOfSound(context, library, of, signal);
        const question = { spaceKey: space.key, libraryId: check ? library.id : null, vector, k, exact };
        const metric = await store.metric(signal);
        const windows = await store.search(question, signal);
        const compared = await store.count(question, signal);
        if (!check) return { windows, compared, metric, recall: null };
        const wanted = await new LibrarySearch(library, space, metric).search(question);
        const found = new Set(windows.map(nameOf));
        const same = wanted.filter((window) => found.has(nameOf(window))).length;
        return { windows, compared, metric, recall: wanted.length === 0 ? 1 : same / wanted.length };
      } finally {
        await store.close();
      }
    },
  };
}

const nameOf = ({ trackId, windowIndex }: FoundWindow): string => `${trackId} ${windowIndex}`;
