import { describe, expect, it } from 'vitest';
import type { SpaceInfo } from '../../../engine/api/spaces.ts';
import { EmbeddingRepository, type EmbeddedWindow } from '../../../engine/library/embeddings.ts';
import { SpaceRepository } from '../../../engine/library/spaces.ts';
import type { Database } from '../../../engine/storage/database.ts';
import { openLibraryDatabases } from '../../../engine/storage/open.ts';
import { meanByTrack } from '../../../models/embeddings/pooling.ts';
import { Random } from '../../../models/numerics/random.ts';
import { testFolder } from '../../support/music.ts';

const DIM = 8;
/** More than are read at once, and one track that is more than is read at once by itself. */
const TRACKS = 1203;
const LONG = 600;
const LONG_WINDOWS = 40_000;

interface Made {
  db: Database;
  space: SpaceInfo;
  embeddings: EmbeddingRepository;
  /** Windows by track, in the order of paths. */
  windows: Map<string, EmbeddedWindow[]>;
}

const windowsOf = (count: number, random: Random): EmbeddedWindow[] =>
  Array.from({ length: count }, (_, index) => ({
    ...{ index, startSeconds: 4 * index, seconds: index === count - 1 ? 2.5 : 4 },
    // Also bytes that are no text.
    z: random.normals(DIM),
  }));

/** Ids in another order than paths. */
function made(): Made {
  const folder = testFolder();
  const db = openLibraryDatabases(folder);
  const spaces = new SpaceRepository(db);
  const embeddings = new EmbeddingRepository(db, spaces, {
    ...{ folder, inMemory: () => Infinity, note: () => undefined },
  });
  const facts = {
    packId: 'p',
    packSha256: 'a',
    encoderSha256: 'b',
    windows: 'all',
    deformation: null,
  } as const;
  const space = spaces.add(facts);
  const random = new Random(1);
  const track = db.prepare(
    `INSERT INTO tracks (id, path, title, search_text, content_hash, added_at, file_state) VALUES (?, ?, '', '', ?, '', 'present')`,
  );
  const windows: Made['windows'] = new Map();
  db.transaction(() => {
    for (let i = 0; i < TRACKS; i++) {
      const id = `track-${(i * 7919) % TRACKS}`;
      track.run([id, `${String(i).padStart(5, '0')}.wav`, `hash-${i}`]);
      windows.set(id, windowsOf(i === LONG ? LONG_WINDOWS : 1 + (i % 3), random));
      embeddings.put(space, id, windows.get(id) ?? [], null);
    }
  })();
  return { db, space, embeddings, windows };
}

describe('embeddings', () => {
  it('come in the order of paths as they were stored, however many are read at once', () => {
    const { db, space, embeddings, windows } = made();
    const all = embeddings.load(space);
    expect(all.trackIds).toEqual([...windows.keys()]);
    const flat = [...windows.values()].flat();
    expect(all.count).toBe(flat.length);
    expect(all.vectors).toEqual(Float32Array.from(flat.flatMap(({ z }) => [...z])));
    expect(all.windowIndex).toEqual(Int32Array.from(flat, ({ index }) => index));
    expect(all.startSeconds).toEqual(Float32Array.from(flat, ({ startSeconds }) => startSeconds));
    expect(all.durationSeconds).toEqual(Float32Array.from(flat, ({ seconds }) => seconds));
    const trackOf = [...windows.values()].flatMap((own, i) => own.map(() => i));
    expect(all.trackOf).toEqual(Int32Array.from(trackOf));
    const some = embeddings.load(space, ['track-5', 'track-2', 'none']);
    expect(some.vectors.length).toBe(DIM * some.count);
    expect(new Set(some.trackIds)).toEqual(new Set(['track-5', 'track-2']));
    db.close();
  });

  it('have the same means of tracks, whether or not their windows were read, until they are written', async () => {
    const { db, space, embeddings } = made();
    const { vectors: means, dim } = embeddings.trackMeans(space);
    const { vectors, trackOf, trackIds } = embeddings.load(space);
    expect(dim).toBe(DIM);
    expect(means).toEqual(meanByTrack(vectors, DIM, trackOf, trackIds.length));
    // Kept, and taken over with the windows.
    expect(embeddings.trackMeans(space).vectors).toBe(means);
    expect(embeddings.vectors(space).tracks.vectors).toBe(means);
    expect(embeddings.trackMeans(space).vectors).toBe(means);
    const id = trackIds[4] ?? '';
    embeddings.put(
      space,
      id,
      [{ index: 0, startSeconds: 0, seconds: 4, z: new Float32Array(DIM).fill(9) }],
      null,
    );
    const after = embeddings.trackMeans(space).vectors;
    expect(after.subarray(4 * DIM, 5 * DIM)).toEqual(new Float32Array(DIM).fill(9));
    expect(after.subarray(0, 4 * DIM)).toEqual(means.subarray(0, 4 * DIM));
    expect(embeddings.vectors(space).tracks.vectors).toEqual(after);
    expect(embeddings.tracks(space).counts.slice(0, 5)).toEqual([1, 2, 3, 1, 1]);
    await embeddings.vectors(space).close();
    db.close();
  });

  it('are read where the first track has no windows', () => {
    const { db, space, embeddings, windows } = made();
    const [first = ''] = windows.keys();
    embeddings.put(space, first, [], null);
    const all = embeddings.load(space);
    expect(all.dim).toBe(DIM);
    expect(all.vectors).toHaveLength(DIM * all.count);
    const { vectors, dim } = embeddings.trackMeans(space);
    expect(dim).toBe(DIM);
    expect(vectors.subarray(0, DIM)).toEqual(new Float32Array(DIM));
    expect(vectors).toHaveLength(DIM * TRACKS);
    db.close();
  });

  it('say so where a row does not hold what it says', () => {
    const { db, space, embeddings } = made();
    db.prepare("UPDATE cache.embeddings SET vectors = x'00' WHERE track_id = 'track-7'").run();
    expect(() => embeddings.load(space)).toThrow(expect.objectContaining({ code: 'database' }));
    expect(() => embeddings.trackMeans(space)).toThrow(/damaged: vectors/);
    db.close();
  });
});
