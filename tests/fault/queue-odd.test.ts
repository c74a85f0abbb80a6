import { appendFileSync, cpSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { beforeAll, describe, expect, it } from 'vitest';
import type { EngineClient } from '../../engine/api/contract.ts';
import { observeQueue } from '../../engine/queue/nats/observe.ts';
import { NatsSource } from '../../engine/queue/nats/source.ts';
import { readAnswer, writeAnswer } from '../../engine/queue/protocol.ts';
import { prometheusText } from '../../engine/queue/status.ts';
import type { LeasedTask } from '../../engine/queue/transport.ts';
import { mappedPath, readFolderMap } from '../../engine/worker/file-map.ts';
import { runWorker } from '../../engine/worker/run.ts';
import {
  finished,
  importFolder,
  settled,
  startTestEngine,
  tracksByPath,
  type TestEngine,
} from '../support/engine.ts';
import { testFolder, writeMusic } from '../support/music.ts';
import { libraryContents } from '../support/library-contents.ts';
import { freePort, natsMissing, NatsServer, withNats } from '../support/nats.ts';
import { settingsOf, startTestWorker } from '../support/queue-worker.ts';
import { TINY, writeTinyPack } from '../support/tiny-pack.ts';
import { decodeWorker } from '../support/workers.ts';

const TOKEN = 'a-token-of-a-test';
/** Not how long it takes, but how long is too long. */
const soon = { timeout: 30_000 };
let server: NatsServer;
const queue = (): ReturnType<typeof settingsOf> => settingsOf(server.url, { token: TOKEN });
const engineOver = (): Promise<TestEngine> => startTestEngine({ queue: queue() });

async function contentsAlone(music: string): Promise<unknown> {
  const { client, engine, dataFolder } = await startTestEngine();
  await importFolder(client, music);
  await engine.close();
  return libraryContents(dataFolder);
}

async function problems(client: EngineClient, libraryId: string): Promise<string[]> {
  const tracks = await tracksByPath(client, libraryId);
  return [...tracks.values()].flatMap(({ problem }) => problem?.message ?? []);
}

describe.skipIf(natsMissing)(`a queue${withNats}`, () => {
  beforeAll(async () => {
    server = await NatsServer.start(`authorization { token: "${TOKEN}" }`);
  });

  it('sends audio to a worker that sees no folder, and the pack to one that has none, and removes both', async () => {
    const music = writeMusic({ perClass: 2, classes: ['bass', 'mid'] });
    const alone = await contentsAlone(music);
    const worker = await startTestWorker(server.url, { token: TOKEN, audio: 'sent', packFolders: [] });
    const { client, engine, dataFolder } = await engineOver();
    const { result } = await importFolder(client, music);
    expect(result).toMatchObject({ imported: 4, failed: 0 });
    await engine.close();
    expect(await worker.stop()).toMatchObject({ answered: 4, refused: 0 });
    expect(libraryContents(dataFolder)).toEqual(alone);
    const connection = await connect({ servers: server.url, token: TOKEN });
    const left: string[] = [];
    for await (const name of (await jetstreamManager(connection)).streams.names()) left.push(name);
    await connection.close();
    expect(left.sort()).toEqual(['OBJ_archetone-1-files', 'OBJ_archetone-1-large-answers']);
  });

  it.each([
    ['one number of each vector', (value: number, i: number) => (i % TINY.D === 0 ? value + 0.1 : value)],
    ['no numbers', () => NaN],
  ])('sets a worker aside that answers %s wrong, and makes again what it answered', async (_, spoil) => {
    const music = writeMusic({ perClass: 3, classes: ['bass', 'mid'] });
    const alone = await contentsAlone(music);
    const liar = await startTestWorker(server.url, {
      ...{ token: TOKEN, worker: 'liar' },
      answer: (bytes) => {
        const answer = readAnswer(bytes);
        answer.numbers?.vectors.set(answer.numbers.vectors.map(spoil));
        return writeAnswer(answer);
      },
    });
    const { client, engine, dataFolder } = await engineOver();
    const { id: libraryId } = await client.call('libraries.open', { folder: music });
    const { jobId } = await client.call('import.start', { libraryId });
    while (!liar.log.some(({ event }) => event === 'set-aside'))
      await new Promise((resolve) => setTimeout(resolve, 50));
    const honest = await startTestWorker(server.url, { token: TOKEN, worker: 'honest' });
    expect(await finished(client, jobId, 'import')).toMatchObject({ imported: 6, failed: 0 });
    await engine.close();
    await Promise.all([liar.stop(), honest.stop()]);
    expect(libraryContents(dataFolder)).toEqual(alone);
  });

  it('says in a sentence what keeps it from working', async () => {
    const music = writeMusic({ perClass: 1, classes: ['bass'] });
    const port = await freePort();
    const reasons = [
      [settingsOf(`nats://127.0.0.1:${port}`), `There is no queue at 127.0.0.1:${port}`],
      [settingsOf(server.url, { token: 'another' }), 'does not let this token in'],
      [settingsOf(server.url), 'does not let anybody in without a token'],
      [settingsOf('http://127.0.0.1'), 'is no address of a queue'],
      [settingsOf(server.url, { creds: '/none.creds' }), 'credentials in /none.creds cannot be read'],
    ] as const;
    for (const [settings, reason] of reasons) {
      const { client, engine } = await startTestEngine({ queue: settings });
      await expect(importFolder(client, music)).rejects.toThrow(reason);
      // Before anything was read.
      expect(await client.call('libraries.list', {})).toMatchObject([{ tracks: { total: 0 } }]);
      await engine.close();
    }
  });

  it('asks for the audio where a worker has another file of the same name', async () => {
    const music = writeMusic({ perClass: 2, classes: ['bass'] });
    const alone = await contentsAlone(music);
    const old = testFolder();
    cpSync(music, old, { recursive: true });
    appendFileSync(join(old, 'bass', 'bass_hit_0.wav'), 'tags of another day');
    const maps = [{ from: music, to: old }];
    const worker = await startTestWorker(server.url, { token: TOKEN, maps });
    const { client, engine, dataFolder } = await engineOver();
    expect((await importFolder(client, music)).result).toMatchObject({ imported: 2, failed: 0 });
    await engine.close();
    expect(await worker.stop()).toMatchObject({ answered: 2, fileFailures: 0 });
    expect(libraryContents(dataFolder)).toEqual(alone);
  });

  it('lists what changed before it could be sent, and keeps its workers', async () => {
    const music = writeMusic({ perClass: 4, classes: ['bass'] });
    const { client } = await engineOver();
    const { id: libraryId } = await client.call('libraries.open', { folder: music });
    const { jobId } = await client.call('import.start', { libraryId });
    await expect.poll(async () => (await observeQueue(queue())).libraries[0]?.waiting, soon).toBe(4);
    for (const name of readdirSync(join(music, 'bass')).slice(1))
      appendFileSync(join(music, 'bass', name), 'more');
    const worker = await startTestWorker(server.url, { token: TOKEN, audio: 'sent', tracks: 1 });
    expect(await finished(client, jobId, 'import')).toMatchObject({ imported: 1, failed: 3 });
    expect((await problems(client, libraryId))[0]).toContain('changed while it was imported');
    expect(await worker.stop()).toMatchObject({ answered: 1, refused: 15 });
  });

  it('lets go of answers that nobody wants any more, also of a worker for one library', async () => {
    const source = await NatsSource.open({
      ...{ settings: queue(), worker: 'late', libraries: ['gone'] },
      onOtherProtocol: () => undefined,
      onSetAside: () => undefined,
    });
    const task: LeasedTask = {
      ...{ libraryId: 'gone', key: 'task', bytes: new Uint8Array(), deliveries: 1 },
      ...{ working: () => undefined, done: () => Promise.resolve(), handBack: () => undefined },
    };
    await source.answer(task, new Uint8Array(1), new AbortController().signal);
    await source.close();
  });

  it('counts no task that was handed back among the attempts that ended their workers', async () => {
    const { client } = await engineOver();
    const folder = writeMusic({ perClass: 1, classes: ['bass'] });
    const { id: libraryId } = await client.call('libraries.open', { folder });
    const { jobId } = await client.call('import.start', { libraryId });
    const deliveries: number[] = [];
    for (const worker of ['leaves', 'leaves-too']) {
      const stop = new AbortController();
      const source = await NatsSource.open({
        ...{ settings: queue(), worker, libraries: null },
        onOtherProtocol: () => undefined,
        onSetAside: () => undefined,
      });
      const take = source.take.bind(source);
      source.take = async (signal) => {
        const task = await take(signal);
        if (task === null) return null;
        deliveries.push(task.deliveries);
        stop.abort();
        return task;
      };
      const summary = await runWorker({
        ...{ source, worker, version: '0.0.0', packFolders: [], cache: testFolder(), maps: [] },
        ...{ audio: 'either', provider: 'cpu', threads: 1, tracks: 1, batch: 4 },
        ...{ decodeWorker: await decodeWorker(), log: () => undefined, signal: stop.signal },
      });
      expect(summary).toMatchObject({ answered: 0, refused: 0, handedBack: 1 });
    }
    expect(deliveries).toEqual([1, 1]);
    const worker = await startTestWorker(server.url, { token: TOKEN });
    expect(await finished(client, jobId, 'import')).toMatchObject({ imported: 1, failed: 0 });
    await worker.stop();
  });

  it('goes on when its server was away, and stops whoever is told to while it is', async () => {
    const music = writeMusic({ perClass: 2, classes: ['bass'] });
    const other = await NatsServer.start();
    const settings = settingsOf(other.url);
    const first = await startTestWorker(other.url, { worker: 'first' });
    await expect.poll(async () => (await observeQueue(settings)).workers.length, soon).toBe(1);
    await other.kill();
    expect(await first.stop()).toMatchObject({ answered: 0 });

    await other.start();
    const second = await startTestWorker(other.url, { worker: 'second' });
    await expect.poll(async () => (await observeQueue(settings)).workers.length, soon).toBe(1);
    await other.kill();
    await other.start();
    const { client } = await startTestEngine({ queue: settings });
    expect((await importFolder(client, music)).result).toMatchObject({ imported: 2, failed: 0 });
    expect(await second.stop()).toMatchObject({ answered: 2 });

    const { client: cancelled } = await startTestEngine({ queue: settings });
    const { id: libraryId } = await cancelled.call('libraries.open', { folder: music });
    const { jobId } = await cancelled.call('import.start', { libraryId });
    await expect.poll(async () => (await observeQueue(settings)).libraries[0]?.waiting, soon).toBe(2);
    await other.kill();
    await cancelled.call('jobs.cancel', { jobId });
    expect((await settled(cancelled, jobId)).state).toBe('cancelled');
  });

  it('lists what a worker does not find, or finds changed, and goes on', async () => {
    const music = writeMusic({ perClass: 3, classes: ['bass'] });
    const elsewhere = join(testFolder(), 'moved');
    const { client } = await engineOver();
    const { id: libraryId } = await client.call('libraries.open', { folder: music });
    const { jobId } = await client.call('import.start', { libraryId });
    while ((await observeQueue(queue())).libraries[0]?.waiting !== 3)
      await new Promise((resolve) => setTimeout(resolve, 50));
    // What was read and hung out is no longer there.
    appendFileSync(join(music, 'bass', 'bass_hit_0.wav'), 'more');
    renameSync(join(music, 'bass', 'bass_hit_2.wav'), elsewhere);
    const worker = await startTestWorker(server.url, { token: TOKEN, audio: 'folder' });
    expect(await finished(client, jobId, 'import')).toMatchObject({ imported: 1, failed: 2 });
    const said = await problems(client, libraryId);
    expect(said[0]).toContain('changed while it was imported');
    expect(said[1]).toContain('The worker does not find');
    expect(await worker.stop()).toMatchObject({ answered: 1, fileFailures: 1, refused: 5 });
  });

  it('tells who works and what there is to do, also to Prometheus', async () => {
    const worker = await startTestWorker(server.url, { token: TOKEN, worker: 'seen' });
    await expect
      .poll(async () => (await observeQueue(queue())).workers.filter((each) => each.worker === 'seen'), soon)
      .toMatchObject([{ worker: 'seen', answered: 0, windowsPerSecond: 0, provider: 'cpu' }]);
    const text = prometheusText(await observeQueue(queue()));
    expect(text).toContain('# TYPE archetone_queue_worker_tracks_total counter');
    expect(text).toContain('archetone_queue_worker_tracks_total{worker="seen"} 0');
    await worker.stop();
  });

  it('leaves libraries alone whose machine speaks another version, and gets packs anew that somebody removed', async () => {
    const connection = await connect({ servers: server.url, token: TOKEN });
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: 'archetone-9-tasks-X', subjects: ['archetone.9.tasks.X.>'] });
    const worker = await startTestWorker(server.url, { token: TOKEN, packFolders: [] });
    await expect.poll(() => worker.log, soon).toContainEqual({ event: 'other-version', message: '9' });
    await manager.streams.delete('archetone-9-tasks-X');
    // The pack was put there by an import; somebody removed it.
    await manager.streams.delete('OBJ_archetone-1-files').catch(() => false);
    const pack = testFolder();
    await writeTinyPack(join(pack, 'compact'), { seed: 2, id: 'compact' });
    const { client } = await startTestEngine({ queue: queue(), packFolders: [pack] });
    const { id: libraryId } = await client.call('libraries.open', {
      folder: writeMusic({ perClass: 1, classes: ['bass'] }),
    });
    const { jobId } = await client.call('import.start', { libraryId });
    expect(await finished(client, jobId, 'import')).toMatchObject({ imported: 1 });
    await worker.stop();
    await connection.close();
  });
});

it('finds files where the longest folder that it was told of lies', () => {
  const maps = ['/music=/mnt/a', '/music/jazz/=/mnt/jazz', 'D:\\Music=/mnt/d'].map(readFolderMap);
  expect(mappedPath('/music/x.flac', maps)).toBe('/mnt/a/x.flac');
  expect(mappedPath('/music/jazz/x.flac', maps)).toBe('/mnt/jazz/x.flac');
  expect(mappedPath('/musical/x.flac', maps)).toBe('/musical/x.flac');
  expect(mappedPath('D:\\Music\\b\\x.flac', maps)).toBe('/mnt/d/b/x.flac');
  expect(() => readFolderMap('nothing')).toThrow('which folder lies where');
});
