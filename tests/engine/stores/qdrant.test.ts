import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { EngineClient } from '../../../engine/api/contract.ts';
import type { StoreAnswer } from '../../../engine/api/stores.ts';
import { askServer } from '../../../engine/stores/ask-server.ts';
import * as z from 'zod';
import { importFolder, reimport, startTestEngine, type TestEngine } from '../../support/engine.ts';
import { writeMusic } from '../../support/music.ts';
import { FakeQdrant } from '../../support/fake-qdrant.ts';
import { TINY } from '../../support/tiny-pack.ts';

const KEY = 'a-key-of-a-test';

describe('a vector store', () => {
  let qdrant: FakeQdrant;
  let test: TestEngine;
  let music = '';
  let libraryId = '';

  const over = async (collection: string, key = KEY): Promise<EngineClient> => {
    test = await test.restart({ store: qdrant.settings(collection, key) });
    return test.client;
  };
  const fill = async (client: EngineClient, metric: 'cosine' | 'euclidean' = 'cosine'): Promise<number[]> => {
    const steps: number[] = [];
    for await (const { done, total } of client.stream('stores.fill', { libraryId, metric }))
      steps.push(done / total);
    return steps;
  };
  const search = (
    client: EngineClient,
    options: { exact?: boolean; check?: boolean; k?: number } = {},
  ): Promise<StoreAnswer> =>
    client.call('stores.search', {
      ...{ libraryId, k: 8, ...options },
      of: { kind: 'file', path: join(music, 'mid', 'mid_hit_0.wav') },
    });

  beforeAll(async () => {
    qdrant = await FakeQdrant.start();
    qdrant.key = KEY;
    test = await startTestEngine();
    music = writeMusic({ perClass: 4 });
    ({
      library: { id: libraryId },
    } = await importFolder(test.client, music));
  });
  beforeEach(() => {
    qdrant.instead = null;
    qdrant.misses = false;
  });

  it.each(['cosine', 'euclidean'] as const)('answers as the library by itself (%s)', async (metric) => {
    const client = await over(metric);
    expect((await fill(client, metric)).at(-1)).toBe(1);
    const windows = qdrant.collections.get(metric)?.points.size ?? 0;
    expect(windows).toBe(12 * 4);
    const found = await search(client, { check: true });
    expect(found).toMatchObject({ metric, recall: 1, compared: windows });
    const [nearest] = found.windows;
    expect(nearest?.path.startsWith('mid/')).toBe(true);
    const distances = found.windows.map(({ distance }) => distance);
    expect(distances).toEqual([...distances].sort((a, b) => a - b));
    // The same numbers, but for those of single precision on the way.
    const ids = { libraryId, trackId: nearest?.trackId ?? '', windowIndex: nearest?.windowIndex ?? 0 };
    const own = await client.call('neighbours.query', {
      ...{ libraryId, k: 1, level: 'window', metric },
      target: { kind: 'window', trackId: ids.trackId, windowIndex: ids.windowIndex },
    });
    const again = await client.call('stores.search', {
      ...{ libraryId, k: 2 },
      of: { kind: 'window', trackId: ids.trackId, windowIndex: ids.windowIndex },
    });
    expect(again.windows[0]?.distance).toBeCloseTo(0, 5);
    expect(again.windows[1]?.distance).toBeCloseTo(own[0]?.distance ?? NaN, 5);
  });

  it('is told by its recall what an index misses, and misses nothing when asked to be exact', async () => {
    const client = await over('cosine');
    await fill(client);
    qdrant.misses = true;
    const found = await search(client, { check: true });
    expect(found.recall).toBe(7 / 8);
    expect((await search(client, { check: true, exact: true })).recall).toBe(1);
  });

  it('holds after another filling what the library has, and nothing of others is touched', async () => {
    const client = await over('again');
    await fill(client);
    const points = qdrant.collections.get('again')?.points;
    const [first] = [...(points?.entries() ?? [])];
    points?.set('ffffffff-0000-0000-0000-000000000000', {
      vector: first?.[1].vector ?? new Float32Array(),
      payload: { ...first?.[1].payload, library: 'another', title: 'of\u001b[2J another' },
    });
    rmSync(join(music, 'mid', 'mid_long_3.wav'));
    await reimport(client, libraryId);
    await fill(client);
    await fill(client);
    expect(points?.size).toBe(11 * 4 + 1);
    const titles = (await search(client, { k: 100 })).windows.map(({ title }) => title);
    // What a terminal would do at it is taken out.
    expect(titles).toContain('of [2J another');
    expect((await search(client, { k: 100, check: true })).windows).toHaveLength(11 * 4);
  });

  it('of other vectors is left as it is', async () => {
    qdrant.collections.set('other', { size: TINY.D + 1, distance: 'Cosine', points: new Map() });
    await expect(fill(await over('other'))).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining(`of ${TINY.D + 1} numbers`) as string,
    });
    await expect(search(await over('other'))).rejects.toThrow(`of ${TINY.D + 1} numbers`);
    qdrant.collections.set('far', { size: TINY.D, distance: 'Euclid', points: new Map() });
    await expect(fill(await over('far'))).rejects.toThrow('compares by euclidean distance');
    qdrant.collections.set('dot', { size: TINY.D, distance: 'Dot', points: new Map() });
    await expect(fill(await over('dot'))).rejects.toMatchObject({ code: 'store' });
    await expect(search(await over('none'))).rejects.toMatchObject({ code: 'not-found' });
  });

  it('says who is not let in, without what would let one in', async () => {
    const wrong = await fill(await over('cosine', 'another-key')).catch((thrown: unknown) => thrown);
    expect(wrong).toMatchObject({
      code: 'store',
      message: expect.stringContaining('does not let this key in') as string,
    });
    const none = await fill(await over('cosine', '')).catch((thrown: unknown) => thrown);
    expect(none).toMatchObject({ message: expect.stringContaining('without a key') as string });
    const client = await over('cosine');
    qdrant.instead = (request, response) => {
      response
        .writeHead(400)
        .end(JSON.stringify({ status: { error: `no ${String(request.headers['api-key'])}\u001b[2J` } }));
      return true;
    };
    const echoed = await search(client).catch((thrown: unknown) => thrown);
    expect(echoed).toMatchObject({ message: expect.stringContaining('(400): no … [2J') as string });
    expect(JSON.stringify(echoed)).not.toContain(KEY);
  });

  it.each([
    ['no JSON', 200, '<html>'],
    ['no result', 200, '{"status":"ok"}'],
    ['numbers that are none', 200, '{"result":{"points":[{"score":null,"payload":{}}]}}'],
    ['a redirection', 302, ''],
    ['more than was asked for', 200, 'x'.repeat(17 * 2 ** 20)],
  ])('that answers %s is not believed', async (_, status, body) => {
    const client = await over('cosine');
    qdrant.instead = (request, response) => {
      if (request.method === 'GET') return false;
      response.writeHead(status, status === 302 ? { location: 'http://127.0.0.1:1/' } : {}).end(body);
      return true;
    };
    await expect(search(client)).rejects.toMatchObject({ code: 'store' });
  });

  it('is asked again while it is busy, stopped when nobody wants it, and given up when it is gone', async () => {
    const signal = new AbortController().signal;
    let times = 0;
    qdrant.instead = (_, response) => {
      if (++times > 2) return false;
      response.writeHead(503).end('{}');
      return true;
    };
    const settings = qdrant.settings('cosine', KEY);
    const question = { method: 'GET', path: '/collections/cosine', result: z.unknown(), signal } as const;
    expect(await askServer({ ...settings, pauseMs: 1 }, question)).toMatchObject({ status: 'green' });
    expect(times).toBe(3);
    qdrant.instead = () => true;
    await expect(askServer({ ...settings, timeoutMs: 50 }, question)).rejects.toMatchObject({
      code: 'store',
    });
    const stop = new AbortController();
    const asking = askServer(settings, { ...question, signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(asking).rejects.toThrow('enough');
    await expect(askServer({ origin: 'http://127.0.0.1:1', key: null }, question)).rejects.toThrow(
      'cannot be reached',
    );
  });

  it('is reached by nobody who was not started with one', async () => {
    const alone = await startTestEngine();
    await expect(fill(alone.client)).rejects.toMatchObject({ code: 'not-permitted' });
  });
});
