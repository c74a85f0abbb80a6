import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { FileClassification } from '../../../engine/api/classify.ts';
import type { ProjectionEvent } from '../../../engine/api/projection.ts';
import { finished, settled } from '../../support/engine.ts';
import { classSound, testFolder, writeSound } from '../../support/music.ts';
import { trainedLibrary, type TrainedLibrary } from '../../support/trained.ts';

describe('classification', () => {
  let lib: TrainedLibrary;

  beforeAll(async () => {
    lib = await trainedLibrary();
  });

  const run = async (paths: string[]) => {
    const { jobId } = await lib.test.client.call('classify.files', {
      libraryId: lib.libraryId,
      experimentId: lib.experiment.id,
      paths,
    });
    return (await finished(lib.test.client, jobId, 'classify')).files;
  };

  it('classifies files and folders outside the library; a broken file does not stop the rest', async () => {
    const folder = testFolder();
    writeSound(join(folder, 'deep', 'low.wav'), classSound('bass', 2.2, 77));
    writeSound(join(folder, 'up.wav'), classSound('high', 0.9, 78));
    writeFileSync(join(folder, 'text.mp3'), 'this is no music');
    writeFileSync(join(folder, 'empty.wav'), '');
    const files = await run([folder, join(folder, 'nowhere.wav')]);
    const byName = new Map(files.map((file) => [file.path.slice(folder.length + 1), file]));
    expect(byName.get(join('deep', 'low.wav'))?.prediction).toBe('bass');
    expect(byName.get('up.wav')?.prediction).toBe('high');
    for (const broken of ['text.mp3', 'empty.wav', 'nowhere.wav']) {
      expect(byName.get(broken)?.problem?.code).toBe('audio');
      expect(byName.get(broken)?.problem?.hint).not.toBe('');
      expect(byName.get(broken)?.scores).toEqual([]);
    }
    const low = byName.get(join('deep', 'low.wav'));
    expect(low?.durationSeconds).toBeCloseTo(2.2, 1);
    expect(low?.outline.length).toBeGreaterThan(40);
    const loudest = Math.max(...(low?.outline ?? []).map(Math.abs));
    expect(loudest).toBeGreaterThan(50);
    expect(loudest).toBeLessThanOrEqual(1000);
    const parts = low?.contributions.reduce((sum, { contribution }) => sum + contribution, low.bias);
    expect(parts).toBeCloseTo(low?.scores[0]?.logit ?? NaN, 5);
    expect(low?.windows.map((w) => w.startSeconds)).toEqual([0, 0.5, 1, 1.5, 2]);
    expect(low?.scores.reduce((sum, s) => sum + s.probability, 0)).toBeCloseTo(1, 5);
  });

  it('tells of each file as soon as it is classified', async () => {
    const folder = testFolder();
    writeSound(join(folder, 'up.wav'), classSound('high', 0.9, 78));
    writeFileSync(join(folder, 'text.mp3'), 'this is no music');
    const stop = new AbortController();
    const told: FileClassification[] = [];
    const listening = (async () => {
      const events = lib.test.client.stream('events', {}, { signal: stop.signal });
      for await (const event of events) {
        if (event.type !== 'file-classified') continue;
        expect(event.libraryId).toBe(lib.libraryId);
        told.push(event.file);
      }
    })().catch(() => undefined);
    const files = await run([folder]);
    stop.abort();
    await listening;
    expect(told).toEqual(files);
    expect(told.map(({ problem }) => problem?.code)).toEqual(['audio', undefined]);
  });

  it('lists what cannot be read below a folder', async () => {
    const folder = testFolder();
    writeSound(join(folder, 'up.wav'), classSound('high', 0.9, 78));
    symlinkSync(join(folder, 'gone.wav'), join(folder, 'link.wav'));
    const files = await run([folder]);
    expect(files.map(({ path, problem }) => [path, problem?.code])).toEqual([
      [join(folder, 'up.wav'), undefined],
      [join(folder, 'link.wav'), 'unreadable'],
    ]);
    const file = join(folder, 'z.npz');
    const events = lib.test.client.stream('embed.files', { packId: 'compact', paths: [folder], file });
    for await (const event of events)
      if (event.type === 'done')
        expect(event.result).toMatchObject({ tracks: 1, failures: [{ path: join(folder, 'link.wav') }] });
    expect.assertions(2);
  });

  it('never writes embeddings over music', async () => {
    const folder = testFolder();
    const [song, odd] = [join(folder, 'song.wav'), join(folder, 'song.part')];
    for (const path of [song, odd]) writeSound(path, classSound('high', 0.9, 78));
    const before = readFileSync(song);
    for (const [file, paths] of [
      [song, [odd]],
      [odd, [odd]],
    ] as const) {
      const embedding = (async () => {
        const request = { packId: 'compact', paths: [...paths], file };
        for await (const event of lib.test.client.stream('embed.files', request)) throw new Error(event.type);
      })();
      await expect(embedding).rejects.toMatchObject({ code: 'bad-input' });
      expect(readFileSync(file)).toEqual(before);
    }
  });

  it('lets only a single file go before other work, a folder of them waits its turn', async () => {
    const folder = testFolder();
    const song = join(folder, 'up.wav');
    writeSound(song, classSound('high', 0.9, 78));
    const { client } = lib.test;
    const at = { libraryId: lib.libraryId, experimentId: lib.experiment.id };
    for (const [path, lane] of [
      [song, 'listen'],
      [folder, 'compute'],
    ] as const) {
      const { jobId } = await client.call('classify.files', { ...at, paths: [path] });
      expect((await settled(client, jobId)).lane).toBe(lane);
    }
  });

  it('explains a track: bias and contributions add up to the logit', async () => {
    const { client } = lib.test;
    const at = { libraryId: lib.libraryId, experimentId: lib.experiment.id };
    const { tracks } = await client.call('tracks.list', { libraryId: lib.libraryId });
    for (const { id: trackId } of tracks.slice(0, 6)) {
      for (const windowIndex of [null, 1]) {
        for (const name of [null, 'mid']) {
          const e = await client.call('explain.track', { ...at, trackId, windowIndex, class: name });
          const sum = e.bias + e.contributions.reduce((total, c) => total + c.contribution, 0);
          expect(sum).toBeCloseTo(e.logit, 5);
          expect(e.scores.find((s) => s.class === e.class)?.logit).toBeCloseTo(e.logit, 5);
          if (name === null) expect(e.class).toBe(e.scores[0]?.class);
          expect(e.contributions).toHaveLength(6);
        }
      }
    }
  });

  it('agrees between table, explanation, windows and a copy of the file', async () => {
    const { client } = lib.test;
    const at = { libraryId: lib.libraryId, experimentId: lib.experiment.id };
    const { tracks } = await client.call('tracks.list', at);
    const track = tracks[3];
    if (!track) throw new Error('no track');
    const explanation = await client.call('explain.track', { ...at, trackId: track.id });
    expect(track.prediction?.class).toBe(explanation.class);
    expect(track.prediction?.probability).toBeCloseTo(explanation.probability, 6);
    const windows = await client.call('classify.windows', { ...at, trackId: track.id });
    expect(windows.prediction).toHaveLength(track.windowCount);
    expect(windows.probabilities).toHaveLength(track.windowCount * windows.classes.length);
    const [file] = await run([join(lib.folder, ...track.path.split('/'))]);
    expect(file?.prediction).toBe(track.prediction?.class);
    expect(file?.scores[0]?.logit).toBeCloseTo(explanation.scores[0]?.logit ?? NaN, 4);
  });

  it('classifies the library again after its predictions were deleted', async () => {
    const { client } = lib.test;
    const at = { libraryId: lib.libraryId, experimentId: lib.experiment.id };
    const { jobId } = await client.call('classify.library', at);
    expect((await finished(client, jobId, 'classify')).tracks).toBe(24);
    await expect(client.call('classify.library', { ...at, experimentId: 'none' })).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  it('cancels', async () => {
    const { jobId } = await lib.test.client.call('classify.files', {
      libraryId: lib.libraryId,
      experimentId: lib.experiment.id,
      paths: Array.from({ length: 200 }, () => lib.folder),
    });
    await lib.test.client.call('jobs.cancel', { jobId });
    expect((await settled(lib.test.client, jobId)).state).toBe('cancelled');
  });

  it('finds neighbours by sound, without the track itself', async () => {
    const { client } = lib.test;
    const { libraryId } = lib;
    const { tracks } = await client.call('tracks.list', { libraryId, search: 'high_hit' });
    const trackId = tracks[0]?.id ?? '';
    for (const metric of ['euclidean', 'cosine'] as const) {
      const near = await client.call('neighbours.query', {
        libraryId,
        target: { kind: 'track', trackId },
        k: 5,
        metric,
      });
      expect(near).toHaveLength(5);
      expect(near.every((n) => n.path.startsWith('high/') && n.trackId !== trackId)).toBe(true);
    }
    const windows = await client.call('neighbours.query', {
      libraryId,
      target: { kind: 'window', trackId, windowIndex: 0 },
      level: 'window',
      k: 3,
    });
    expect(windows).toHaveLength(3);
    expect(windows.some((n) => n.trackId === trackId && n.windowIndex === 0)).toBe(false);
  });

  it.each(['pca', 'umap'] as const)(
    'maps tracks and prototypes with %s, from the cache the second time',
    async (method) => {
      const input = { libraryId: lib.libraryId, method, experimentId: lib.experiment.id };
      const read = async (): Promise<ProjectionEvent[]> => {
        const events: ProjectionEvent[] = [];
        for await (const event of lib.test.client.stream('projection.compute', input)) events.push(event);
        return events;
      };
      const first = (await read()).at(-1);
      const second = await read();
      expect(second).toHaveLength(1);
      expect(second[0]).toEqual(first);
      if (first?.type !== 'result') throw new Error('no result');
      const { x, y, points, prototypes, prototypeClasses, trust, explained } = first.projection;
      expect(points).toMatchObject({ kind: 'track', count: 24 });
      expect(points.trackIds).toHaveLength(24);
      expect(prototypes).toBe(6);
      expect(new Set(prototypeClasses)).toEqual(new Set(lib.experiment.classes));
      expect(x).toHaveLength(30);
      expect([...x, ...y].every(Number.isFinite)).toBe(true);
      expect(trust).toBeGreaterThan(0.5);
      expect(explained === null).toBe(method === 'umap');
    },
  );
});
