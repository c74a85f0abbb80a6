/** What a library keeps that can be made again: how large it is, and emptying it. */
import { z } from 'zod';
import { query } from '../wire/index.ts';
import { inLibrary, nothing } from './shared.ts';

/** Kinds of what can be made again. */
export const cacheKinds = ['embeddings', 'sounds', 'copies', 'covers'] as const;
export type CacheKind = (typeof cacheKinds)[number];

export interface LibraryCaches {
  libraryId: string;
  /** Name of the library. */
  name: string;
  /** Where it lies. */
  folder: string;
  bytes: Record<CacheKind, number>;
}

export const cachesMethods = {
  'caches.list': query<LibraryCaches[]>()(nothing),
  /**
   * Deletes what can be made again: sounds and copies at their next use, embeddings and covers by the next import.
   * @throws EngineError `library-busy` while a job works on the library
   */
  'caches.empty': query<LibraryCaches>()(z.strictObject({ ...inLibrary, kind: z.enum(cacheKinds) })),
};
