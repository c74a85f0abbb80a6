import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { Metric } from '../../models/neighbours/brute.ts';
import type { Rows } from '../../models/neighbours/rows.ts';
import type { StoreFilling } from '../api/stores.ts';
import { EngineError } from '../api/errors.ts';
import type { Library } from '../library/library.ts';
import type { LibraryVectors } from '../library/vectors.ts';
import type { StoredWindow, VectorStore } from './vector-store.ts';

/**
 * Puts the windows of a library, as they are now, into a store; what it had of this library before goes when all are there.
 * A filling is named by all that it puts: begun again it goes on where it was, and one that is whole is not written anew.
 * Of the vectors, one part at a time is in memory beside what the library has there.
 * @returns how far it is, after each part
 * @throws EngineError `not-found` when nothing is embedded, `bad-input`, `store`; the signal's reason
 */
export async function* fillStore(
  library: Library,
  store: VectorStore,
  metric: Metric,
  signal: AbortSignal,
): AsyncGenerator<StoreFilling, void> {
  const vectors = library.embeddings.vectors();
  const { count, dim, space } = vectors.windows;
  if (count === 0)
    throw new EngineError('not-found', 'No track of this library is embedded.', 'Import it first.');
  const rows = await vectors.rows('window', signal);
  await store.prepare({ dim, metric }, signal);
  const length = store.rowsAtOnce(dim);
  const partAt = partsOf(library, vectors.windows, rows, length);
  const run = await nameOf(partAt, count, length, signal);
  const own = { spaceKey: space.key, libraryId: library.id };
  const written = (): Promise<number> => store.count({ ...own, run }, signal);
  let done = await written();
  if (done > 0) yield { done, total: count };
  // Parts are written whole, one after the other; where somebody took windows out in between, all are written again.
  for (const first of [done - (done % length), 0]) {
    if (done === count) break;
    for (let at = first; at < count; at += length) {
      signal.throwIfAborted();
      const part = partAt(at);
      await store.put(part.windows, part.vectors, run, signal);
      yield { done: at + part.windows.length, total: count };
    }
    done = await written();
  }
  if (done !== count)
    throw new EngineError(
      'store',
      `The vector store has ${done} of ${count} windows after all were written.`,
      'Somebody else may be changing it: try again.',
    );
  await store.finish(own, run, signal);
  yield { done: count, total: count };
}

interface Part {
  windows: StoredWindow[];
  /** `[windows.length, D]` */
  vectors: Float32Array;
}

function partsOf(
  library: Library,
  windows: LibraryVectors['windows'],
  rows: Rows,
  length: number,
): (first: number) => Part {
  const names = new Map<string, { title: string; path: string }>();
  const window = (row: number): StoredWindow => {
    const trackId = windows.trackIds[windows.trackOf[row] ?? -1] ?? '';
    const name = names.get(trackId) ?? library.tracks.nameOf(trackId);
    names.set(trackId, name);
    return {
      ...{ libraryId: library.id, spaceKey: windows.space.key, trackId, title: name.title, path: name.path },
      windowIndex: windows.windowIndex[row] ?? 0,
      startSeconds: windows.startSeconds[row] ?? 0,
    };
  };
  return (first) => {
    const here = Math.min(length, windows.count - first);
    return {
      windows: Array.from({ length: here }, (_, i) => window(first + i)),
      vectors: rows.read(first, here),
    };
  };
}

/** The SHA-256 of all that is put, in its order. */
async function nameOf(
  partAt: (first: number) => Part,
  count: number,
  length: number,
  signal: AbortSignal,
): Promise<string> {
  const hash = createHash('sha256');
  for (let first = 0; first < count; first += length) {
    signal.throwIfAborted();
    const { windows, vectors } = partAt(first);
    hash.update(JSON.stringify(windows));
    hash.update(new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength));
    await setImmediate();
  }
  return hash.digest('hex').slice(0, 32);
}
