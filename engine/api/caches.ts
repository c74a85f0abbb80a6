/** What a library keeps that can be made again: how large it is, and emptying it. */
import * as z from 'zod';
import { query } from '../wire/index.ts';
import { inLibrary, nothing, path } from './shared.ts';
import type { Started } from './shared.ts';

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
  /** The folder that a person chose for caches; null: with the other data. Libraries may lie elsewhere until they are moved. */
  'caches.place': query<{ folder: string | null }>()(nothing),
  /**
   * Moves the caches of all libraries into a folder, or back with null (a job). A library cannot be used while it is moved.
   * @throws EngineError `bad-input` for a folder inside music or own data, `missing-folder`, `unreadable`, `disk-full`
   */
  'caches.move': query<Started>()(z.strictObject({ folder: path.nullable() })),
  'caches.list': query<LibraryCaches[]>()(nothing),
  /**
   * Deletes what can be made again: sounds and copies at their next use, embeddings and covers by the next import.
   * @throws EngineError `library-busy` while a job works on the library
   */
  'caches.empty': query<LibraryCaches>()(z.strictObject({ ...inLibrary, kind: z.enum(cacheKinds) })),
};
