import { beforeAll, describe, expect, it } from 'vitest';
import type { Column, ColumnName } from '../../../engine/api/projection.ts';
import type { EngineContext } from '../../../engine/context.ts';
import { Library } from '../../../engine/library/library.ts';
import { computeProjection } from '../../../engine/projection/compute.ts';
import { openLibraryDatabases } from '../../../engine/storage/open.ts';
import { trainedLibrary, type TrainedLibrary } from '../../support/trained.ts';

let lib: TrainedLibrary;
beforeAll(async () => {
  lib = await trainedLibrary();
}, 180_000);

async function column(name: ColumnName): Promise<Map<string, string | number | null>> {
  const { libraryId, taxonomyId, experiment } = lib;
  const asked = { libraryId, taxonomyId, experimentId: experiment.id, column: name };
  const found: Column = await lib.test.client.call('projection.column', asked);
  return new Map(
    found.trackIds.map((id, i): [string, string | number | null] => {
      if (found.kind === 'numbers') return [id, found.values[i] ?? NaN];
      const place = found.first[i] ?? -1;
      return [id, place < 0 ? null : (found.names[place] ?? null)];
    }),
  );
}

describe('a column of the map', () => {
  it('says of every track what its row says', async () => {
    const { libraryId, taxonomyId, experiment } = lib;
    const { tracks } = await lib.test.client.call('tracks.list', {
      ...{ libraryId, taxonomyId, experimentId: experiment.id, limit: 1000 },
    });
    expect(tracks.length).toBeGreaterThan(20);
    const columns = {
      label: await column('label'),
      prediction: await column('prediction'),
      verdict: await column('verdict'),
      probability: await column('probability'),
      split: await column('split'),
      folder: await column('folder'),
      length: await column('length'),
      artist: await column('artist'),
      genre: await column('genre'),
    };
    for (const track of tracks) {
      const said = Object.fromEntries(
        Object.entries(columns).map(([name, values]) => [name, values.get(track.id)]),
      );
      const { prediction } = track;
      expect(said).toMatchObject({
        label: track.labels[0],
        prediction: prediction?.class,
        verdict: prediction?.correct === null ? null : prediction?.correct ? 'correct' : 'wrong',
        split: prediction?.split,
        folder: track.path.split('/').slice(0, -1).join('/'),
        artist: track.artist,
        genre: track.genre[0] ?? null,
      });
      expect(said['probability']).toBeCloseTo(prediction?.probability ?? NaN, 5);
      expect(said['length']).toBeCloseTo(track.durationSeconds ?? NaN, 3);
    }
  });

  it('is empty without what it comes from', async () => {
    const asked = { libraryId: lib.libraryId, column: 'prediction' as const };
    expect(await lib.test.client.call('projection.column', asked)).toMatchObject({ trackIds: [], names: [] });
    await expect(
      lib.test.client.call('projection.column', { ...asked, experimentId: 'nobody' }),
    ).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('a map of windows', () => {
  it('names the track and the number of each, also when it comes from the cache', async () => {
    const { client } = lib.test;
    const read = async () => {
      const asked = { libraryId: lib.libraryId, level: 'window' as const };
      for await (const event of client.stream('projection.compute', asked))
        if (event.type === 'result') return event.projection;
      throw new Error('no map');
    };
    const { points, x } = await read();
    expect(points.kind).toBe('window');
    expect(points.count).toBe(x.length);
    for (let point = 0; point < points.count; point++) {
      const trackId = points.trackIds[points.trackOf[point] ?? -1] ?? '';
      const { windows } = await client.call('tracks.get', { libraryId: lib.libraryId, trackId });
      const first = points.trackOf.indexOf(points.trackOf[point] ?? -1);
      expect(points.windowIndex[point]).toBe(windows[point - first]?.index);
    }
    expect((await read()).points).toEqual(points);
  });
});

describe('the trust of each point', () => {
  it('has the trust of the map as its mean, and needs the map', async () => {
    const { client } = lib.test;
    const asked = { libraryId: lib.libraryId, experimentId: lib.experiment.id, method: 'pca' as const };
    const trustOf = async (seed: number): Promise<Float32Array> => {
      for await (const event of client.stream('projection.trust', { ...asked, seed }))
        if (event.type === 'result') return event.trust;
      throw new Error('no trust');
    };
    await expect(trustOf(4)).rejects.toMatchObject({ code: 'not-found' });
    let whole = NaN;
    for await (const event of client.stream('projection.compute', { ...asked, seed: 4 }))
      if (event.type === 'result') whole = event.projection.trust;
    const trust = await trustOf(4);
    expect(trust.reduce((sum, own) => sum + own, 0) / trust.length).toBeCloseTo(whole, 5);
  });
});

// The last one: it takes the library from the engine.
describe('a map of a library that changes while it is laid out', () => {
  it('names the tracks that were there when it was asked for', async () => {
    const { dataFolder } = await lib.test.client.call('libraries.get', { libraryId: lib.libraryId });
    await lib.test.restart();
    const library = new Library(lib.libraryId, dataFolder, openLibraryDatabases(dataFolder));
    try {
      const before = library.embeddings.tracks();
      const request = {
        method: 'umap',
        level: 'window',
        experimentId: null,
        reductionId: null,
        seed: 9,
      } as const;
      // Only data set files need more than the library.
      const events = computeProjection({} as EngineContext, library, request, new AbortController().signal);
      expect((await events.next()).value).toMatchObject({ type: 'progress' });
      library.db
        .prepare(`UPDATE tracks SET file_state = 'missing' WHERE id = ?`)
        .run([before.trackIds[0] ?? '']);
      expect(library.embeddings.tracks().trackIds).toEqual(before.trackIds.slice(1));
      for await (const event of events) {
        if (event.type !== 'result') continue;
        const { points, x } = event.projection;
        expect(points.trackIds).toEqual(before.trackIds);
        expect([points.count, points.trackOf.length, points.windowIndex.length]).toEqual(
          new Array(3).fill(x.length),
        );
        expect(points.trackOf.at(-1)).toBe(before.trackIds.length - 1);
        return;
      }
      throw new Error('no map');
    } finally {
      library.close();
    }
  });
});
