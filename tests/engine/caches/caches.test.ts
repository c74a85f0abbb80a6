import { existsSync, mkdirSync, readdirSync, realpathSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { moveCaches, sweepMove } from '../../../engine/caches/move.ts';
import type { JobHandle } from '../../../engine/jobs/queue.ts';
import { finished, importFolder, startTestEngine } from '../../support/engine.ts';
import { testFolder, writeMusic } from '../../support/music.ts';
import { smallDisk } from '../../support/small-disk.ts';

const disk = smallDisk(1);
const withDisk = disk === null ? ' (skipped: this user may mount no disk)' : '';

describe('caches', () => {
  it('are measured by what lies in their places, and emptied one kind at a time', async () => {
    const engine = await startTestEngine();
    const { client } = engine;
    const { library } = await importFolder(client, writeMusic({ perClass: 2, classes: ['a', 'b'] }));
    const folder = library.dataFolder;
    for (const [name, size] of [
      ['transcodes', 1000],
      ['sonifications', 200],
      ['covers', 30],
    ] as const) {
      mkdirSync(join(folder, name), { recursive: true });
      writeFileSync(join(folder, name, 'x.wav'), new Uint8Array(size));
    }
    writeFileSync(join(folder, 'transcodes', 'y.wav.part'), new Uint8Array(5));
    const before = (await client.call('caches.list', {}))[0];
    expect(before).toMatchObject({ libraryId: library.id, name: library.name, folder });
    expect(before?.bytes).toMatchObject({ copies: 1005, sounds: 200, covers: 30 });
    expect(before?.bytes.embeddings).toBeGreaterThan(10_000);

    const copies = await client.call('caches.empty', { libraryId: library.id, kind: 'copies' });
    // What is being written stays.
    expect(copies.bytes).toEqual({ ...before?.bytes, copies: 5 });
    expect(readdirSync(join(folder, 'transcodes'))).toEqual(['y.wav.part']);
    const empty = await client.call('caches.empty', { libraryId: library.id, kind: 'embeddings' });
    expect(empty.bytes.embeddings).toBeLessThan(before?.bytes.embeddings ?? 0);
    const now = await client.call('libraries.get', { libraryId: library.id });
    expect(now.tracks).toMatchObject({ total: 4, ready: 0 });
    // What cannot be made again is there, and the next import makes the rest.
    expect(existsSync(join(folder, 'library.db'))).toBe(true);
    const { library: again } = await importFolder(client, library.folders[0] ?? '');
    expect(again.tracks).toMatchObject({ total: 4, ready: 4 });
    expect(dirname(folder)).toBe(join(engine.dataFolder, 'libraries'));
  });

  it('are not emptied under a job', async () => {
    const { client } = await startTestEngine();
    const library = await client.call('libraries.open', { folder: writeMusic({ perClass: 3 }) });
    const { jobId } = await client.call('import.start', { libraryId: library.id });
    await expect(
      client.call('caches.empty', { libraryId: library.id, kind: 'embeddings' }),
    ).rejects.toMatchObject({
      code: 'library-busy',
    });
    await client.call('jobs.cancel', { jobId });
  });

  it('move to another folder, which new libraries use, and back, with everything in them', async () => {
    const engine = await startTestEngine();
    const { client } = engine;
    const { library } = await importFolder(client, writeMusic({ perClass: 2, classes: ['a', 'b'] }));
    const own = library.dataFolder;
    mkdirSync(join(own, 'sonifications'), { recursive: true });
    writeFileSync(join(own, 'sonifications', 'x.wav'), new Uint8Array(200));
    const move = async (folder: string | null) => {
      const { jobId } = await client.call('caches.move', { folder });
      return finished(client, jobId, 'move-caches');
    };
    const caches = async () =>
      (await client.call('caches.list', {})).map(({ folder, bytes }) => ({ folder, bytes }));
    const [before] = await caches();
    const elsewhere = testFolder();
    const place = join(elsewhere, 'archetone-caches', library.id);
    // Of a move that ended before it was written down.
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'cache.db'), 'old');

    expect(await move(elsewhere)).toMatchObject({ libraries: 1 });
    expect(await client.call('caches.place', {})).toEqual({ folder: realpathSync(elsewhere) });
    expect(existsSync(join(own, 'cache.db'))).toBe(false);
    expect(existsSync(join(own, 'sonifications', 'x.wav'))).toBe(false);
    expect(existsSync(join(own, 'library.db'))).toBe(true);
    expect(readdirSync(join(place, 'sonifications'))).toEqual(['x.wav']);
    const [moved] = await caches();
    expect(moved?.folder).toBe(place);
    expect(moved?.bytes.sounds).toBe(200);
    // The embeddings came along: nothing is to be computed.
    const again = await client.call('libraries.get', { libraryId: library.id });
    expect(again.tracks).toMatchObject({ total: 4, ready: 4 });
    expect(await move(elsewhere)).toMatchObject({ libraries: 0 });

    const { library: other } = await importFolder(client, writeMusic({ perClass: 2, classes: ['c', 'd'] }));
    expect(readdirSync(join(elsewhere, 'archetone-caches')).sort()).toEqual([library.id, other.id].sort());
    expect(existsSync(join(other.dataFolder, 'cache.db'))).toBe(false);
    await client.call('libraries.remove', { libraryId: other.id });
    expect(readdirSync(join(elsewhere, 'archetone-caches'))).toEqual([library.id]);

    expect(await move(null)).toMatchObject({ libraries: 1 });
    expect(await caches()).toEqual([
      { folder: own, bytes: { ...before?.bytes, embeddings: expect.any(Number) as number } },
    ]);
    expect(existsSync(place)).toBe(false);
    expect((await client.call('libraries.get', { libraryId: library.id })).tracks.ready).toBe(4);

    // A pointer to what no move made takes nothing along.
    const music = writeMusic({ perClass: 1, classes: ['a'] });
    writeFileSync(join(own, 'cache-place.json'), JSON.stringify({ folder: music, left: null }));
    await client.call('libraries.remove', { libraryId: library.id });
    expect(existsSync(own)).toBe(false);
    expect(existsSync(join(music, 'a'))).toBe(true);
  });

  it('are not moved into music, own data, what is no folder, nor under a job', async () => {
    const engine = await startTestEngine();
    const { client } = engine;
    const music = writeMusic({ perClass: 3 });
    const library = await client.call('libraries.open', { folder: music });
    const move = (folder: string) => client.call('caches.move', { folder });
    await expect(move(join(music))).rejects.toThrow('inside the music folder');
    mkdirSync(join(music, 'inside'));
    await expect(move(join(music, 'inside'))).rejects.toThrow('inside the music folder');
    await expect(move(library.dataFolder)).rejects.toThrow('own data');
    await expect(move(join(music, 'nowhere'))).rejects.toMatchObject({ code: 'missing-folder' });
    const { jobId } = await client.call('import.start', { libraryId: library.id });
    const refused = await move(testFolder());
    await expect(finished(client, refused.jobId, 'move-caches')).rejects.toThrow('still works on');
    await client.call('jobs.cancel', { jobId });
  });

  it('stay whole where they were when moving them is cancelled', async () => {
    const [dataFolder, elsewhere] = [testFolder(), testFolder()];
    const own = join(dataFolder, 'libraries', 'L');
    mkdirSync(join(own, 'sonifications'), { recursive: true });
    for (const name of ['library.db', 'cache.db', 'sonifications/x.wav', 'sonifications/y.wav'])
      writeFileSync(join(own, name), name);
    const stop = new AbortController();
    const copied: number[] = [];
    const job: JobHandle = {
      ...{ id: 'J', lane: 'network', signal: stop.signal, stopping: null },
      ...{ entitle: () => undefined, kept: () => undefined, checkpoint: () => Promise.resolve() },
      report: ({ done = 0 }) => {
        // First it is told that nothing was copied yet.
        if (copied.push(done) === 3) stop.abort();
      },
    };
    const around = {
      libraries: {
        list: () => [{ id: 'L', name: 'Music', folders: [] }],
        databaseOf: () => join(own, 'library.db'),
        whileClosed: (_: string, work: () => Promise<void>) => work(),
      },
      jobs: { busy: () => false, endBackground: () => Promise.resolve() },
      backups: { idle: () => Promise.resolve() },
      options: { dataFolder },
    } as unknown as Parameters<typeof moveCaches>[0];
    await expect(moveCaches(around, elsewhere, job)).rejects.toMatchObject({ name: 'AbortError' });
    expect(copied).toHaveLength(3);
    expect(readdirSync(join(elsewhere, 'archetone-caches'))).toEqual([]);
    expect(readdirSync(own).sort()).toEqual(['cache.db', 'library.db', 'sonifications']);
    expect(readdirSync(join(own, 'sonifications'))).toEqual(['x.wav', 'y.wav']);
    expect(existsSync(join(dataFolder, 'cache-place.json'))).toBe(false);
  });

  it('lose what a move that was killed had copied, there or back, and nothing else', async () => {
    const [dataFolder, elsewhere] = [testFolder(), testFolder()];
    const own = join(dataFolder, 'libraries', 'L');
    const place = join(elsewhere, 'archetone-caches', 'L');
    const others = join(elsewhere, 'archetone-caches', 'M.another.part');
    const draft = join(elsewhere, 'archetone-caches', 'N.J.part');
    for (const folder of [own, place, others, draft]) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'cache.db'), 'kept');
    }
    writeFileSync(join(own, 'library.db'), 'kept');
    // Its caches are here: nothing was copied back.
    await sweepMove(dataFolder, null, 'J');
    expect(readdirSync(own).sort()).toEqual(['cache.db', 'library.db']);
    writeFileSync(join(own, 'cache-place.json'), JSON.stringify({ folder: place, left: null }));
    await sweepMove(dataFolder, null, 'J');
    expect(readdirSync(own).sort()).toEqual(['cache-place.json', 'library.db']);
    await sweepMove(dataFolder, elsewhere, 'J');
    expect(readdirSync(join(elsewhere, 'archetone-caches')).sort()).toEqual(['L', 'M.another.part']);
    expect(readdirSync(place)).toEqual(['cache.db']);
  });

  it.skipIf(disk === null)(`are not moved to a disk without room${withDisk}`, async () => {
    const { client } = await startTestEngine();
    await importFolder(client, writeMusic({ perClass: 1, classes: ['a'] }));
    const folder = disk?.folder ?? '';
    await expect(client.call('caches.move', { folder })).rejects.toMatchObject({ code: 'disk-full' });
    expect(readdirSync(folder)).toEqual([]);
    disk?.remove();
  });

  it('are missed when their disk is away, and can be left behind', async () => {
    const first = await startTestEngine();
    const { library } = await importFolder(first.client, writeMusic({ perClass: 2, classes: ['a', 'b'] }));
    const elsewhere = testFolder();
    const { jobId } = await first.client.call('caches.move', { folder: elsewhere });
    await finished(first.client, jobId, 'move-caches');
    // What a killed run did not get to: the old place still has a copy, and says so.
    writeFileSync(join(library.dataFolder, 'cache.db'), 'old');
    const pointer = join(library.dataFolder, 'cache-place.json');
    writeFileSync(
      pointer,
      JSON.stringify({ folder: join(elsewhere, 'archetone-caches', library.id), left: library.dataFolder }),
    );
    renameSync(elsewhere, `${elsewhere}-away`);
    const second = await first.restart();
    const { client } = second;
    await expect(client.call('libraries.get', { libraryId: library.id })).rejects.toThrow(
      'which is not there',
    );
    expect((await client.call('libraries.list', {}))[0]?.problem?.code).toBe('missing-folder');
    await expect.poll(() => existsSync(join(library.dataFolder, 'cache.db'))).toBe(false);
    const back = await client.call('caches.move', { folder: null });
    await finished(client, back.jobId, 'move-caches');
    expect((await client.call('libraries.get', { libraryId: library.id })).tracks).toMatchObject({
      ...{ total: 4, ready: 0 },
    });
    // Once the disk is there again, what was left on it goes.
    const place = join(elsewhere, 'archetone-caches', library.id);
    renameSync(`${elsewhere}-away`, elsewhere);
    expect(existsSync(place)).toBe(true);
    await second.restart();
    await expect.poll(() => existsSync(place)).toBe(false);
  });
});
