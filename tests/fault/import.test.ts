import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { DecodePool } from '../../engine/decode/index.ts';
import { scanFolder } from '../../engine/files/scan.ts';
import { TrackStore } from '../../engine/import/track-store.ts';
import { openLibraryDatabases } from '../../engine/storage/open.ts';
import { Database } from '../../engine/storage/database.ts';
import { storageError } from '../../engine/storage/errors.ts';
import { bundled } from '../support/bundles.ts';
import {
  finished,
  importFolder,
  reimport,
  settled,
  startTestEngine,
  testOptions,
  tracksByPath,
} from '../support/engine.ts';
import { classSound, testFolder, writeMusic, writeSound } from '../support/music.ts';

/** Ready tracks of a library and their vectors, straight from the files. */
function readyTracks(libraryFolder: string): { id: string; path: string; vectors: ArrayBuffer }[] {
  const db = openLibraryDatabases(libraryFolder);
  const ready = `library l JOIN tracks t ON t.file_state = 'present' JOIN cache.embeddings e
    ON e.space = l.space AND e.track_id = t.id AND e.content_hash = t.content_hash`;
  const rows = db
    .prepare<{ id: string; path: string; vectors: ArrayBuffer }>(
      `SELECT t.id, t.path, e.vectors FROM ${ready} JOIN cache.peaks p ON p.track_id = t.id ORDER BY t.path`,
    )
    .all();
  const all = db.prepare<{ n: number }>(`SELECT COUNT(*) AS n FROM ${ready}`).get();
  db.close();
  // No track is ready without everything that belongs to it.
  expect(all?.n).toBe(rows.length);
  return rows;
}

const onlyLibrary = (dataFolder: string): string => {
  const [id = ''] = readdirSync(join(dataFolder, 'libraries'));
  return join(dataFolder, 'libraries', id);
};

/** Whether a decoded track was written to its end: a process may be killed while it writes one. */
function isWhole(path: string): boolean {
  const bytes = readFileSync(path);
  const end = bytes.indexOf('\n');
  if (end < 0) return false;
  const { numbers } = z
    .looseObject({ numbers: z.string() })
    .parse(JSON.parse(bytes.toString('utf8', 0, end)));
  return (
    createHash('sha256')
      .update(bytes.subarray(end + 1))
      .digest('hex') === numbers
  );
}

describe('kill -9 during an import', () => {
  it('loses at most the files under way; the import goes on by itself and redoes nothing', async () => {
    const folder = writeMusic({ perClass: 14, seconds: 12 });
    const options = await testOptions();
    const script = await bundled('tests/fault/engine-child.ts');
    const running = spawn(process.execPath, [script, JSON.stringify(options), folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise<void>((resolve, reject) => {
      running.on('exit', () => reject(new Error('the engine ended by itself')));
      running.stdout.setEncoding('utf8').on('data', (text: string) => {
        if (/running files ([5-9]|\d\d)\n/.test(text)) {
          running.removeAllListeners('exit');
          running.on('exit', () => resolve());
          running.kill('SIGKILL');
        }
      });
    });
    const libraryFolder = onlyLibrary(options.dataFolder);
    const before = readyTracks(libraryFolder);
    expect(before.length).toBeGreaterThanOrEqual(4);
    expect(before.length).toBeLessThan(42);

    // What was decoded and waited for the model need not be decoded again.
    const kept = existsSync(join(libraryFolder, 'decoded'))
      ? readdirSync(join(libraryFolder, 'decoded'))
      : [];
    const waiting = kept
      .filter((name) => !before.some(({ id }) => name.startsWith(id)))
      .filter((name) => isWhole(join(libraryFolder, 'decoded', name))).length;
    const decode = vi.spyOn(DecodePool.prototype, 'decode');
    // The lock of the dead process is taken over.
    const { client, engine } = await startTestEngine(options);
    const [job] = await client.call('jobs.list', {});
    expect(job?.kind).toBe('import');
    const result = await finished(client, job?.id ?? '', 'import');
    expect(result).toMatchObject({
      imported: 42 - before.length,
      unchanged: before.length,
      failed: 0,
      missing: 0,
    });
    expect(decode).toHaveBeenCalledTimes(42 - before.length - waiting);
    expect(existsSync(join(libraryFolder, 'decoded'))).toBe(false);
    await engine.close();
    const after = new Map(readyTracks(libraryFolder).map((track) => [track.path, track]));
    expect(after.size).toBe(42);
    for (const track of before) expect(after.get(track.path)).toEqual(track);
  });
});

describe('cancel and pause', () => {
  it.each(['files found', 'files read', 'files'])(
    'while the job counts “%s” leave a library in order',
    async (unit) => {
      const { client, dataFolder, engine } = await startTestEngine({ decodeWorkers: 1 });
      const folder = writeMusic({ perClass: 12, seconds: 6 });
      const { id: libraryId } = await client.call('libraries.open', { folder });
      const stop = new AbortController();
      const events = client.stream('events', {}, { signal: stop.signal });
      const { jobId } = await client.call('import.start', { libraryId });
      for await (const event of events) {
        if (event.type !== 'job' || event.job.progress.unit !== unit) continue;
        await client.call('jobs.cancel', { jobId });
        break;
      }
      stop.abort();
      const cancelled = performance.now();
      expect((await settled(client, jobId)).state).toBe('cancelled');
      expect(performance.now() - cancelled).toBeLessThan(5000);
      const { tracks } = await client.call('libraries.get', { libraryId });
      expect(tracks.failed + tracks.missing).toBe(0);
      expect(await reimport(client, libraryId)).toMatchObject({ imported: 36 - tracks.ready, failed: 0 });
      await engine.close();
      expect(readyTracks(onlyLibrary(dataFolder))).toHaveLength(36);
    },
  );

  it('pause holds everything, resume goes on with the same result', async () => {
    const { client } = await startTestEngine({ decodeWorkers: 1 });
    const folder = writeMusic({ perClass: 10, seconds: 10 });
    const { id: libraryId } = await client.call('libraries.open', { folder });
    const { jobId } = await client.call('import.start', { libraryId });
    const done = async (): Promise<number> => {
      const { progress } = await client.call('jobs.get', { jobId });
      return progress.unit === 'files' ? progress.done : -1;
    };
    while ((await done()) < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    await client.call('jobs.pause', { jobId });
    await new Promise((resolve) => setTimeout(resolve, 400));
    const rested = (await client.call('libraries.get', { libraryId })).tracks.ready;
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect((await client.call('jobs.get', { jobId })).state).toBe('paused');
    expect((await client.call('libraries.get', { libraryId })).tracks.ready).toBe(rested);
    expect(rested).toBeLessThan(30);
    // What the import goes by cannot change under it.
    await expect(client.call('libraries.open', { folder, windows: 2 })).rejects.toMatchObject({
      code: 'library-busy',
    });
    await expect(client.call('libraries.relink', { libraryId, folder: testFolder() })).rejects.toMatchObject({
      code: 'library-busy',
    });
    expect((await client.call('import.start', { libraryId })).jobId).toBe(jobId);
    await client.call('jobs.resume', { jobId });
    // It began again and did what was left.
    const { imported, unchanged, failed } = await finished(client, jobId, 'import');
    expect({ all: imported + unchanged, failed }).toEqual({ all: 30, failed: 0 });
    expect(unchanged).toBeGreaterThan(0);
  });

  it('paused inside a long file it holds nothing: another library is imported meanwhile', async () => {
    const { client } = await startTestEngine({ decodeWorkers: 1 });
    const long = writeMusic({ perClass: 1, seconds: 120, classes: ['bass'] });
    const library = await client.call('libraries.open', { folder: long });
    const { jobId } = await client.call('import.start', { libraryId: library.id });
    for (;;) {
      const { progress } = await client.call('jobs.get', { jobId });
      if (progress.windows > 3) break;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await client.call('jobs.pause', { jobId });
    const { result } = await importFolder(client, writeMusic({ perClass: 1 }));
    expect(result).toMatchObject({ imported: 3, failed: 0 });
    expect(await client.call('jobs.get', { jobId })).toMatchObject({ state: 'paused' });
    await client.call('jobs.resume', { jobId });
    expect(await finished(client, jobId, 'import')).toMatchObject({ imported: 1, failed: 0 });
  });
});

describe('a full disk', () => {
  it('ends the import with its reason; what was finished stays and the rest follows later', async () => {
    const { client } = await startTestEngine();
    const folder = writeMusic({ perClass: 4 });
    const { id: libraryId } = await client.call('libraries.open', { folder });
    // oxlint-disable-next-line typescript/unbound-method -- called with its own this below
    const put = TrackStore.prototype.putResult;
    let stored = 0;
    const full = vi.spyOn(TrackStore.prototype, 'putResult').mockImplementation(function (
      this: TrackStore,
      ...call
    ) {
      if (stored >= 5) {
        throw storageError(
          Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' }),
          'cache.db',
        );
      }
      put.apply(this, call);
      stored++;
    });
    await expect(reimport(client, libraryId)).rejects.toMatchObject({
      code: 'disk-full',
      hint: expect.stringContaining('space') as unknown,
    });
    full.mockRestore();
    expect((await client.call('libraries.get', { libraryId })).tracks).toMatchObject({ ready: 5, failed: 0 });
    expect(await reimport(client, libraryId)).toMatchObject({ imported: 7, unchanged: 5 });
  });

  it('in the middle of a transaction takes it back as a whole', () => {
    const db = new Database(join(testFolder(), 'x.db'));
    db.exec('CREATE TABLE t (b BLOB); INSERT INTO t VALUES (1); PRAGMA max_page_count = 20');
    const fill = db.transaction(() => {
      for (let i = 0; i < 100; i++) db.prepare('INSERT INTO t VALUES (?)').run([new Uint8Array(4096)]);
    });
    expect(fill).toThrow(expect.objectContaining({ code: 'disk-full' }));
    expect(db.prepare('SELECT COUNT(*) AS n FROM t').get()).toEqual({ n: 1 });
    db.exec('PRAGMA max_page_count = 2000');
    fill();
    expect(db.prepare('SELECT COUNT(*) AS n FROM t').get()).toEqual({ n: 101 });
  });
});

describe('files and folders that resist', () => {
  const refusing = (refused: string, code: string) => ({
    readdir: (path: string): Promise<Dirent[]> =>
      path.endsWith(refused)
        ? Promise.reject(Object.assign(new Error(code), { code }))
        : readdir(path, { withFileTypes: true }),
    stat: (path: string) =>
      path.endsWith(refused) && refused.endsWith('.wav')
        ? Promise.reject(Object.assign(new Error(code), { code }))
        : stat(path),
    identity: (path: string) => stat(path, { bigint: true }),
  });

  it('hidden, looping and other things are left out; links are followed once', async () => {
    const folder = writeMusic({ perClass: 1 });
    const elsewhere = testFolder();
    writeSound(join(elsewhere, 'linked.WAV'), classSound('mid', 1, 1));
    writeSound(join(folder, '.hidden/x.wav'), classSound('mid', 1, 1));
    writeSound(join(folder, '._x.wav'), classSound('mid', 1, 1));
    writeSound(join(folder, 'notes.txt'), classSound('mid', 1, 1));
    symlinkSync(folder, join(folder, 'bass/again'));
    symlinkSync(elsewhere, join(folder, 'link'));
    symlinkSync(join(folder, 'loop.wav'), join(folder, 'loop.wav'));
    mkdirSync(join(folder, 'folder.wav'));
    const { signal } = new AbortController();
    const scan = await scanFolder(folder, { signal });
    expect(scan.files.map((file) => file.path)).toEqual([
      'bass/bass_hit_0.wav',
      'high/high_hit_0.wav',
      'link/linked.WAV',
      'mid/mid_hit_0.wav',
    ]);
    expect(scan.files[0]).toMatchObject({ bytes: statSync(join(folder, 'bass/bass_hit_0.wav')).size });
    expect(scan.problems.map((p) => [p.path, p.kind, p.error.code])).toEqual([
      ['loop.wav', 'file', 'unreadable'],
    ]);
    const skipped = await scanFolder(folder, { signal, skip: join(folder, 'mid') });
    expect(skipped.files).toHaveLength(3);
    await expect(scanFolder(folder, { signal: AbortSignal.abort() })).rejects.toThrow('abort');
  });

  it('finds folders whose numbers differ beyond what a double holds', async () => {
    const folder = writeMusic({ perClass: 1 });
    let last = 2n ** 53n;
    const identity = () => Promise.resolve({ dev: 1n, ino: last++ });
    const { signal } = new AbortController();
    const scan = await scanFolder(folder, { signal, fileSystem: { ...refusing('none', ''), identity } });
    expect(scan.files).toHaveLength(3);
  });

  it.each([
    ['mid', 'EACCES', 'folder'],
    ['mid_hit_0.wav', 'EACCES', 'file'],
    ['mid', 'EIO', 'folder'],
  ])('%s with %s is listed and the rest is found', async (refused, code, kind) => {
    const folder = writeMusic({ perClass: 1 });
    const { signal } = new AbortController();
    // A link makes the scan ask for the file itself.
    const scan = await scanFolder(folder, { signal, fileSystem: refusing(refused, code) });
    expect(scan.files).toHaveLength(2);
    expect(scan.problems).toHaveLength(1);
    expect(scan.problems[0]).toMatchObject({ kind, error: { code: 'unreadable' } });
    expect(scan.problems[0]?.error.message).toContain(code);
  });

  it('a file that vanishes between scan and decode is listed, not fatal', async () => {
    const { client } = await startTestEngine();
    const folder = writeMusic({ perClass: 2 });
    // oxlint-disable-next-line typescript/unbound-method -- called with its own this below
    const decode = DecodePool.prototype.decode;
    vi.spyOn(DecodePool.prototype, 'decode').mockImplementation(function (this: DecodePool, path, options) {
      if (path.endsWith('mid_hit_0.wav')) rmSync(path, { force: true });
      return decode.call(this, path, options);
    });
    const { library, result } = await importFolder(client, folder);
    expect(result).toMatchObject({ imported: 5, failed: 1 });
    expect((await tracksByPath(client, library.id)).get('mid/mid_hit_0.wav')).toMatchObject({
      state: 'failed',
      problem: { code: 'unreadable' },
    });
  });

  it('samples that are not numbers fail their own file only', async () => {
    const { client } = await startTestEngine();
    const folder = writeMusic({ perClass: 1, seconds: 4 });
    // oxlint-disable-next-line typescript/unbound-method -- called with its own this below
    const decode = DecodePool.prototype.decode;
    vi.spyOn(DecodePool.prototype, 'decode').mockImplementation(async function* (
      this: DecodePool,
      path,
      options,
    ) {
      for await (const chunk of decode.call(this, path, options)) {
        if (path.includes('mid')) chunk[10] = NaN;
        yield chunk;
      }
    });
    const { library, result } = await importFolder(client, folder);
    expect(result).toMatchObject({ imported: 2, failed: 1 });
    const failed = (await tracksByPath(client, library.id)).get('mid/mid_hit_0.wav');
    expect(failed?.problem).toMatchObject({ code: 'audio' });
  });
});
