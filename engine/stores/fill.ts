import type { Metric } from '../../models/neighbours/brute.ts';
import type { StoreFilling } from '../api/stores.ts';
import { EngineError } from '../api/errors.ts';
import type { Library } from '../library/library.ts';
import { newId } from '../identifier.ts';
import type { StoredWindow, VectorStore } from './vector-store.ts';

/**
 * Puts the windows of a library, as they are now, into a store; what it had of this library before goes when all are there.
 * Started again it does the same, without anything twice.
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
  const { windows } = vectors;
  const { count, dim, space } = windows;
  if (count === 0)
    throw new EngineError('not-found', 'No track of this library is embedded.', 'Import it first.');
  const rows = await vectors.rows('window', signal);
  await store.prepare({ dim, metric }, signal);
  const run = newId();
  const names = new Map<string, { title: string; path: string }>();
  const window = (row: number): StoredWindow => {
    const trackId = windows.trackIds[windows.trackOf[row] ?? -1] ?? '';
    const name = names.get(trackId) ?? library.tracks.nameOf(trackId);
    names.set(trackId, name);
    return {
      ...{ libraryId: library.id, spaceKey: space.key, trackId, title: name.title, path: name.path },
      windowIndex: windows.windowIndex[row] ?? 0,
      startSeconds: windows.startSeconds[row] ?? 0,
    };
  };
  const part = store.rowsAtOnce(dim);
  for (let first = 0; first < count; first += part) {
    signal.throwIfAborted();
    const length = Math.min(part, count - first);
    const all = Array.from({ length }, (_, i) => window(first + i));
    await store.put(all, rows.read(first, length), run, signal);
    yield { done: first + length, total: count };
  }
  await store.dropOthers({ spaceKey: space.key, libraryId: library.id }, run, signal);
}
