import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import * as z from 'zod';
import { beforeAll, describe, expect, it } from 'vitest';
import type { EngineClient } from '../../../engine/api/contract.ts';
import type { StoreAnswer } from '../../../engine/api/stores.ts';
import { Random } from '../../../models/numerics/random.ts';
import { PgvectorStore } from '../../../engine/stores/pgvector.ts';
import { PostgresSession } from '../../../engine/stores/postgres-session.ts';
import { storeSettings, type PostgresSettings } from '../../../engine/stores/settings.ts';
import type { StoredWindow } from '../../../engine/stores/vector-store.ts';
import { afterFile } from '../../support/after-file.ts';
import { importFolder, reimport, startTestEngine, type TestEngine } from '../../support/engine.ts';
import { writeMusic } from '../../support/music.ts';
import { startPostgres, type TestPostgres } from '../../support/pglite.ts';
import { TINY } from '../../support/tiny-pack.ts';

const signal = new AbortController().signal;
const TABLES = 'cosine euclidean again other far theirs index odd-Name many tls alone'.split(' ');

describe('a table of PostgreSQL', { timeout: 180_000 }, () => {
  let postgres: TestPostgres;
  let test: TestEngine;
  let music = '';
  let libraryId = '';

  const sql = async (text: string): Promise<unknown[]> => {
    const session = new PostgresSession(postgres.settings('any'));
    try {
      return await session.ask({ text, row: z.unknown() }, signal);
    } finally {
      await session.close();
    }
  };
  const over = async (table: string | PostgresSettings): Promise<EngineClient> => {
    const store = typeof table === 'string' ? postgres.settings(table) : table;
    test = await test.restart({ store });
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
    postgres = await startPostgres();
    afterFile(() => postgres.stop());
    await sql(`DROP TABLE IF EXISTS ${TABLES.map((table) => `"${table}"`).join(', ')}`);
    test = await startTestEngine();
    music = writeMusic({ perClass: 4 });
    ({
      library: { id: libraryId },
    } = await importFolder(test.client, music));
    // PostgreSQL makes its first database, in WebAssembly: some ten seconds of a processor.
  }, 400_000);

  it.each(['cosine', 'euclidean'] as const)('answers as the library by itself (%s)', async (metric) => {
    const client = await over(metric);
    expect((await fill(client, metric)).at(-1)).toBe(1);
    for (const exact of [false, true]) {
      const found = await search(client, { check: true, exact });
      expect(found).toMatchObject({ metric, recall: 1, compared: 12 * 4 });
      expect(found.windows[0]?.path.startsWith('mid/')).toBe(true);
      const distances = found.windows.map(({ distance }) => distance);
      expect(distances).toEqual([...distances].sort((a, b) => a - b));
    }
    const [nearest] = (await search(client)).windows;
    const window = { trackId: nearest?.trackId ?? '', windowIndex: nearest?.windowIndex ?? 0 };
    const own = await client.call('neighbours.query', {
      ...{ libraryId, k: 1, level: 'window', metric },
      target: { kind: 'window', ...window },
    });
    const again = await client.call('stores.search', { libraryId, k: 2, of: { kind: 'window', ...window } });
    expect(again.windows[0]?.distance).toBeCloseTo(0, 5);
    expect(again.windows[1]?.distance).toBeCloseTo(own[0]?.distance ?? NaN, 5);
    const indexes = await sql(`SELECT indexdef FROM pg_indexes WHERE tablename = '${metric}'`);
    expect(JSON.stringify(indexes)).toContain(
      metric === 'cosine' ? 'hnsw (vector vector_cosine_ops)' : 'hnsw (vector vector_l2_ops)',
    );
  });

  it('holds after another filling what the library has, and nothing of others is touched', async () => {
    const client = await over('again');
    await fill(client);
    await sql(
      `INSERT INTO again SELECT gen_random_uuid(), 'another', space, run, track, E'of\\u001b[2J another', path, "window", start, vector FROM again LIMIT 1`,
    );
    rmSync(join(music, 'mid', 'mid_long_3.wav'));
    await reimport(client, libraryId);
    await fill(client);
    expect(await sql('SELECT count(*)::int AS n FROM again')).toEqual([{ n: 11 * 4 + 1 }]);
    const titles = (await search(client, { k: 100 })).windows.map(({ title }) => title);
    expect(titles).toContain('of [2J another');
    expect((await search(client, { k: 100, check: true })).windows).toHaveLength(11 * 4);
  });

  it('goes on where a filling was, writes nothing twice, and notices what somebody took out', async () => {
    const client = await over('index');
    await fill(client);
    const written = async (): Promise<unknown> =>
      sql('SELECT max(xmin::text::int)::int AS last FROM "index"');
    const before = await written();
    // A whole one: the server is told nothing but how much there is.
    expect(await fill(client)).toEqual([1, 1]);
    expect(await written()).toEqual(before);
    await sql('DELETE FROM "index" WHERE id IN (SELECT id FROM "index" LIMIT 3)');
    expect((await fill(client)).at(-1)).toBe(1);
    expect((await search(client, { check: true })).compared).toBe(11 * 4);
    expect(await sql('SELECT count(DISTINCT run)::int AS n FROM "index"')).toEqual([{ n: 1 }]);
  });

  it('of other vectors, other columns or other people is left as it is', async () => {
    await new PgvectorStore(postgres.settings('other')).prepare(
      { dim: TINY.D + 1, metric: 'cosine' },
      signal,
    );
    await expect(fill(await over('other'))).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining(`of ${TINY.D + 1} numbers`) as string,
    });
    await expect(search(await over('other'))).rejects.toThrow(`of ${TINY.D + 1} numbers`);
    await new PgvectorStore(postgres.settings('far')).prepare({ dim: TINY.D, metric: 'euclidean' }, signal);
    await expect(fill(await over('far'))).rejects.toThrow('compares by euclidean distance');
    await sql('ALTER TABLE far DROP COLUMN title');
    await expect(fill(await over('far'), 'euclidean')).rejects.toThrow('was changed');
    await sql('CREATE TABLE theirs (id uuid)');
    await expect(fill(await over('theirs'))).rejects.toThrow('was not made by Archetone');
    expect(await sql('SELECT * FROM theirs')).toEqual([]);
    await expect(search(await over('none'))).rejects.toMatchObject({ code: 'not-found' });
  });

  it('makes its index in one process where there is no shared memory for several', async ({ skip }) => {
    if (postgres.pid === null) skip('what stands in for such a machine takes a superuser');
    const store = new PgvectorStore(postgres.settings('alone'));
    await store.prepare({ dim: 2, metric: 'cosine' }, signal);
    const window = { libraryId: 'l', spaceKey: 's', trackId: 't', title: '', path: '', windowIndex: 0 };
    await store.put([{ ...window, startSeconds: 0 }], Float32Array.of(1, 2), 'run', signal);
    await sql(`CREATE FUNCTION small_memory() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
      IF current_setting('max_parallel_maintenance_workers') <> '0' THEN
        RAISE 'could not resize shared memory segment' USING ERRCODE = '53100'; END IF; END $$`);
    await sql(`CREATE EVENT TRIGGER small_memory ON ddl_command_start WHEN TAG IN ('CREATE INDEX')
      EXECUTE FUNCTION small_memory()`);
    try {
      await store.finish({ spaceKey: 's', libraryId: 'l' }, 'run', signal);
    } finally {
      await sql('DROP EVENT TRIGGER small_memory');
      await sql('DROP FUNCTION small_memory');
    }
    const indexes = await sql("SELECT indexname FROM pg_indexes WHERE tablename = 'alone'");
    expect(JSON.stringify(indexes)).toContain('alone_nearest');
    await store.close();
  });

  it('takes any name and any text as what it is', async () => {
    const store = new PgvectorStore(postgres.settings('odd-Name'));
    await store.prepare({ dim: 2, metric: 'cosine' }, signal);
    const odd = `'); DROP TABLE "odd-Name"; -- {"a",\\b} \0 ü 🎵`;
    const windows = [0, 1].map((i): StoredWindow => ({
      ...{ libraryId: odd.replace('\0', ''), spaceKey: 's', trackId: `t${i}`, title: odd, path: odd },
      ...{ windowIndex: i, startSeconds: i / 3 },
    }));
    await store.put(windows, Float32Array.of(1, 1e-30, 0, 0), 'run', signal);
    const question = { spaceKey: 's', libraryId: null, vector: Float32Array.of(1, 0), k: 5, exact: false };
    const found = await store.search(question, signal);
    // A vector of zeros has no direction.
    expect(found.map(({ distance }) => distance)).toEqual([0, 1]);
    expect(found[1]).toMatchObject({ title: odd.replace('\0', ' '), windowIndex: 1, startSeconds: 1 / 3 });
    await store.close();
  });

  it('finds the windows of a library among many of another, which its index looks at first', async () => {
    const store = new PgvectorStore(postgres.settings('many'));
    await store.prepare({ dim: 8, metric: 'euclidean' }, signal);
    const random = new Random(5);
    const rows = (libraryId: string, count: number, away: number): Promise<void> => {
      const windows = Array.from({ length: count }, (_, i) => ({
        ...{
          libraryId,
          spaceKey: 's',
          trackId: `${i}`,
          title: '',
          path: '',
          windowIndex: 0,
          startSeconds: 0,
        },
      }));
      const vectors = Float32Array.from({ length: 8 * count }, () => away + 0.01 * random.normal());
      return store.put(windows, vectors, 'run', signal);
    };
    await rows('near', 3000, 0);
    await rows('far', 20, 9);
    await store.finish({ spaceKey: 's', libraryId: 'near' }, 'run', signal);
    const question = { spaceKey: 's', libraryId: 'far', vector: new Float32Array(8), k: 10, exact: false };
    const found = await store.search(question, signal);
    expect(found.map(({ libraryId }) => libraryId)).toEqual(Array(10).fill('far'));
    expect(found).toEqual(await store.search({ ...question, exact: true }, signal));
    await store.close();
  });

  it('is reached over TLS when its certificate is known, and not without', async () => {
    const client = await over(postgres.settings('tls', { tls: postgres.certificate }));
    expect((await fill(client)).at(-1)).toBe(1);
    const settings = postgres.settings('tls', { tls: postgres.certificate });
    const unknown = new PgvectorStore({ ...settings, tlsCa: null });
    await expect(unknown.metric(signal)).rejects.toThrow('does not trust');
    const elsewhere = new PgvectorStore({ ...settings, host: '127.0.0.1' });
    await expect(elsewhere.metric(signal)).rejects.toThrow('ERR_TLS_CERT_ALTNAME_INVALID');
    const missing = new PgvectorStore({ ...settings, tlsCa: join(music, 'none.pem') });
    await expect(missing.metric(signal)).rejects.toMatchObject({ code: 'unreadable' });
  });

  it('is left by whoever does not want it any more', async () => {
    const stop = new AbortController();
    const session = new PostgresSession(postgres.settings('any'));
    const asking = session.ask({ text: 'SELECT pg_sleep(1)', row: z.unknown() }, stop.signal);
    setTimeout(() => stop.abort(new Error('enough')), 100);
    await expect(asking).rejects.toThrow('enough');
    expect(await session.ask({ text: 'SELECT 1 AS one', row: z.unknown() }, signal)).toEqual([{ one: 1 }]);
    await session.close();
  });
});

describe('a PostgreSQL server that does not let one in', () => {
  const PASSWORD = 'secret-of-a-test';
  /** @param code in the words of the protocol: SQLSTATE, or what it answers to who asks for TLS */
  const refusing = async (code: string): Promise<PostgresSettings> => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        if (code.length === 1) return void socket.end(code);
        const fields = `SFATAL\0C${code}\0Mno, ${PASSWORD}\u001b[2J\0\0`;
        const head = Buffer.alloc(5);
        head.write('E');
        head.writeInt32BE(fields.length + 4, 1);
        socket.end(Buffer.concat([head, Buffer.from(fields, 'latin1')]));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    afterFile(() => void server.close());
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const settings = storeSettings(`postgres://anna:${PASSWORD}@localhost:${port}/sounds/t`);
    if (settings.kind !== 'postgres') throw new Error('no PostgreSQL');
    return { ...settings, encrypted: code.length === 1 };
  };

  it.each([
    ['28P01', 'does not let this user in'],
    ['3D000', 'has no database sounds'],
    ['53100', 'is full'],
    ['53300', '(53300): no, … [2J'],
    ['N', 'does not speak TLS'],
  ])('%s is said in words, without the password', async (code, words) => {
    const failed = await new PgvectorStore(await refusing(code))
      .metric(signal)
      .catch((thrown: unknown) => thrown);
    expect(failed).toMatchObject({ code: 'store', message: expect.stringContaining(words) as string });
    expect((failed as Error).message).not.toContain(PASSWORD);
  });

  it('that is not there is told', async () => {
    const gone = { ...(await refusing('N')), port: 1, encrypted: false };
    await expect(new PgvectorStore(gone).metric(signal)).rejects.toThrow('cannot be reached');
  });
});
