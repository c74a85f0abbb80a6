import type { SpaceInfo } from '../api/spaces.ts';
import { EngineError } from '../api/errors.ts';
import type { Database } from '../storage/database.ts';

/** A track that is embedded. */
export interface Head {
  id: string;
  content_hash: string;
  dim: number;
  count: number;
}

/** What a row of embeddings holds of its windows, one value or vector after the other. */
type BlobColumn = 'window_index' | 'start_seconds' | 'window_seconds' | 'vectors';

/** Tracks that are read at once, if their vectors take no more bytes than that: what is warm in a processor's cache. */
const CHUNK = 500;
const CHUNK_BYTES = 1024 * 1024;

/** Windows of some tracks. */
export const countOf = (heads: readonly Head[]): number => heads.reduce((sum, { count }) => sum + count, 0);

/** Numbers of a vector; 0 without any. A track may have no windows, which has none. */
export const dimOf = (heads: readonly Head[]): number => heads.find(({ count }) => count > 0)?.dim ?? 0;

const bytesOf = (heads: readonly Head[]): number =>
  heads.reduce((sum, { count, dim }) => sum + Float32Array.BYTES_PER_ELEMENT * count * dim, 0);

/** Tracks that follow each other, as many as are read at once; one at least. */
export function* inChunks(all: readonly Head[]): Generator<readonly Head[], void> {
  let [first, bytes] = [0, 0];
  for (const [i, head] of all.entries()) {
    const own = bytesOf([head]);
    if (i > first && (i - first === CHUNK || bytes + own > CHUNK_BYTES)) {
      yield all.slice(first, i);
      [first, bytes] = [i, 0];
    }
    bytes += own;
  }
  if (first < all.length) yield all.slice(first);
}

/**
 * Columns of some tracks after the other, in their order, each joined to one blob by the database: a blob for each track takes
 * several times as long to cross from the driver.
 * @throws EngineError `database` where a row does not hold what it says
 */
export function* joinedRows(
  db: Database,
  space: SpaceInfo,
  heads: readonly Head[],
  columns: readonly BlobColumn[],
): Generator<{ part: readonly Head[]; blobs: Readonly<Record<BlobColumn, ArrayBuffer>> }, void> {
  // In an encoding of UTF-8 the bytes of a blob are those of its text, whatever they are.
  const joined = columns.map((name) => `CAST(group_concat(e.${name}, '') AS BLOB) AS ${name}`);
  const rows = db.prepare<Partial<Record<BlobColumn, ArrayBuffer>>>(
    `SELECT ${joined.join(', ')}
       FROM json_each(?) wanted CROSS JOIN cache.embeddings e ON e.space = ? AND e.track_id = wanted.value`,
  );
  const nothing = new ArrayBuffer(0);
  for (const part of inChunks(heads)) {
    const found = rows.get([JSON.stringify(part.map(({ id }) => id)), space.key]);
    const blobs = {
      window_index: nothing,
      start_seconds: nothing,
      window_seconds: nothing,
      vectors: nothing,
    };
    for (const name of columns) {
      const bytes = name === 'vectors' ? bytesOf(part) : Float32Array.BYTES_PER_ELEMENT * countOf(part);
      const blob = found?.[name] ?? nothing;
      if (blob.byteLength !== bytes)
        throw new EngineError(
          'database',
          `Embeddings of this library are damaged: ${name} of some tracks has ${blob.byteLength} bytes instead of ${bytes}.`,
          'Empty the embeddings of this library in Preferences, under Caches, and import it again: they are computed anew.',
        );
      blobs[name] = blob;
    }
    yield { part, blobs };
  }
}
