import type { Metric } from '../../models/neighbours/brute.ts';
import type { SpaceInfo } from '../api/spaces.ts';
import type { Library } from '../library/library.ts';
import { nearestTo } from '../neighbours/query.ts';
import type { FoundWindow, StoreQuestion, VectorSearch } from './vector-store.ts';

/** The windows of a library by themselves, in memory or in its file: exact. */
export class LibrarySearch implements VectorSearch {
  readonly #library: Library;
  readonly #space: SpaceInfo;
  readonly #metric: Metric;

  constructor(library: Library, space: SpaceInfo, metric: Metric) {
    this.#library = library;
    this.#space = space;
    this.#metric = metric;
  }

  metric(): Promise<Metric> {
    return Promise.resolve(this.#metric);
  }

  count(): Promise<number> {
    return Promise.resolve(this.#library.embeddings.vectors(this.#space).windows.count);
  }

  async search({ vector, k }: StoreQuestion): Promise<FoundWindow[]> {
    const found = await nearestTo(
      this.#library,
      { vector, space: this.#space },
      { level: 'window', k, metric: this.#metric },
    );
    return found.map((window) => ({ ...window, libraryId: this.#library.id }));
  }
}
