import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { copyFileWatched } from '../../engine/files/copy-file.ts';
import { BackupKeeper } from '../../engine/library/backup-keeper.ts';
import { LibraryCatalogue } from '../../engine/library/libraries.ts';
import { PASSING_FOLDER } from '../../engine/library/sonifications.ts';
import { backUp, isSoundFile, listBackups, superfluous } from '../../engine/storage/backups.ts';
import { Database } from '../../engine/storage/database.ts';
import { finished, importFolder, listen, reimport, settled, startTestEngine } from '../support/engine.ts';
import { testFolder, writeMusic } from '../support/music.ts';

const HOUR = 3_600_000;

describe('rotation', () => {
  it('keeps the newest of seven days and of four weeks, and a few of every other reason', () => {
    const start = Date.parse('2026-03-01T12:00:00Z');
    // An hour apart for 60 days, newest first.
    const automatic = Array.from({ length: 60 * 24 }, (_, n) => ({
      at: new Date(start - n * HOUR),
      reason: 'auto' as const,
    }));
    const dropped = new Set(superfluous(automatic));
    const kept = automatic.filter((backup) => !dropped.has(backup));
    const days = new Set(kept.map(({ at }) => at.toISOString().slice(0, 10)));
    expect(kept.slice(0, 3)).toEqual(automatic.slice(0, 3));
    expect(days.size).toBeGreaterThanOrEqual(9);
    expect(kept.length).toBeLessThanOrEqual(3 + 7 + 5);
    const oldest = kept.at(-1)?.at.getTime() ?? 0;
    expect((start - oldest) / (24 * HOUR)).toBeGreaterThan(20);
  });

  it('is stable: rotating every hour for two months always keeps a backup of each span', () => {
    let kept: { at: Date; reason: 'auto' }[] = [];
    for (let n = 0; n < 60 * 24; n++) {
      kept = [{ at: new Date(Date.UTC(2026, 0, 1) + n * HOUR), reason: 'auto' }, ...kept];
      const dropped = new Set(superfluous(kept));
      kept = kept.filter((backup) => !dropped.has(backup));
    }
    const ages = kept.map(({ at }) => (Date.UTC(2026, 0, 1) + 60 * 24 * HOUR - at.getTime()) / (24 * HOUR));
    expect(ages.filter((age) => age <= 7.1).length).toBeGreaterThanOrEqual(7);
    expect(Math.max(...ages)).toBeGreaterThan(20);
    expect(kept.length).toBeLessThanOrEqual(15);
  });
});

describe('a backup', () => {
  it('is whole although the database is written meanwhile', async () => {
    const at = testFolder();
    const db = new Database(join(at, 'library.db'));
    db.logAhead();
    db.exec('CREATE TABLE t (n INTEGER, text TEXT)');
    const insert = (from: number): void =>
      db.transaction(() => {
        for (let n = from; n < from + 20_000; n++)
          db.prepare('INSERT INTO t VALUES (?, ?)').run([n, 'x'.repeat(100)]);
      })();
    insert(0);
    const copying = backUp(db, 'hand');
    await Promise.resolve();
    insert(20_000);
    const backup = await copying;
    insert(40_000);
    const copy = new Database(backup.path);
    const rows = copy.prepare<{ n: number }>('SELECT count(*) AS n FROM t').get()?.n ?? 0;
    expect(rows % 20_000).toBe(0);
    expect(rows).toBeGreaterThan(0);
    copy.close();
    db.close();
    expect(readdirSync(join(at, 'backups'))).toEqual([backup.name]);
  });

  it('is checked while everything else goes on', async () => {
    const path = join(testFolder(), 'library.db');
    const db = new Database(path);
    db.exec(`CREATE TABLE t (text TEXT); CREATE INDEX by_text ON t (text);
      WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 50000)
      INSERT INTO t SELECT hex(randomblob(60)) FROM c`);
    db.close();
    let turns = 0;
    let over = false;
    const turn = (): unknown => (turns++, over || setImmediate(turn));
    turn();
    expect(await isSoundFile(path)).toBe(true);
    over = true;
    expect(turns).toBeGreaterThan(50);
    writeFileSync(path, readFileSync(path).fill(0xff, 4096 * 30, 4096 * 60));
    expect(await isSoundFile(path)).toBe(false);
  });

  it('of a damaged database replaces nothing', async () => {
    const at = testFolder();
    const path = join(at, 'library.db');
    const db = new Database(path);
    db.exec('CREATE TABLE t (text TEXT)');
    for (let n = 0; n < 400; n++) db.prepare('INSERT INTO t VALUES (?)').run(['x'.repeat(400)]);
    const good = await backUp(db, 'auto');
    db.close();
    writeFileSync(path, readFileSync(path).fill(0xff, 4096 * 3, 4096 * 20));
    const damaged = new Database(path);
    await expect(backUp(damaged, 'auto')).rejects.toMatchObject({ code: 'database' });
    damaged.close();
    expect(listBackups(path).map(({ name }) => name)).toEqual([good.name]);
    expect(readdirSync(join(at, 'backups'))).toEqual([good.name]);
  });
});

describe('the keeper', () => {
  it('backs up after changes, at most once an hour', async () => {
    const shelf = new LibraryCatalogue(testFolder());
    const library = shelf.open(testFolder(), {});
    const keeper = new BackupKeeper(shelf, (message) => expect.unreachable(message));
    const change = (): unknown =>
      library.db
        .prepare(
          `INSERT INTO tracks (id, path, title, search_text, added_at) SELECT 't', 'a.wav', 'a', 'a', ''`,
        )
        .run();
    const now = Date.now();
    expect(await keeper.look(now)).toBe(1);
    expect(await keeper.look(now + 2 * HOUR)).toBe(0);
    change();
    expect(await keeper.look(now + 1000)).toBe(0);
    expect(await keeper.look(now + 2 * HOUR)).toBe(1);
    await keeper.close();
    shelf.close();
  });
});

describe('the keeper at the end', () => {
  it('finishes the backup it writes, and makes those that are due before anything is closed', async () => {
    const shelf = new LibraryCatalogue(testFolder());
    const libraries = [shelf.open(testFolder(), {}), shelf.open(testFolder(), {})];
    const keeper = new BackupKeeper(shelf, (message) => expect.unreachable(message));
    const looking = keeper.look();
    await keeper.close();
    shelf.close();
    expect(await looking).toBe(1);
    expect(libraries.map(({ db }) => listBackups(db.path).length)).toEqual([1, 1]);
  });

  it('writes one backup of a library at a time, whoever asks', async () => {
    const shelf = new LibraryCatalogue(testFolder());
    const library = shelf.open(testFolder(), {});
    const keeper = new BackupKeeper(shelf, (message) => expect.unreachable(message));
    const made: string[] = [];
    const each = [1, 2, 3].map(async () => made.push((await keeper.make(library, 'hand')).name));
    await new Promise((resolve) => setImmediate(resolve));
    await keeper.idle(library.id);
    expect(made).toHaveLength(3);
    await Promise.all(each);
    await keeper.close();
    shelf.close();
  });
});

describe('an engine that is used for seconds', () => {
  it('leaves a backup of what was changed, and not another one within the hour', async () => {
    const first = await startTestEngine();
    const { library } = await importFolder(first.client, writeMusic({ perClass: 1 }));
    const path = join(library.dataFolder, 'library.db');
    expect(listBackups(path)).toEqual([]);
    await first.engine.close();
    expect(listBackups(path).map(({ reason }) => reason)).toEqual(['auto']);
    const again = await startTestEngine({ dataFolder: first.dataFolder });
    expect(await reimport(again.client, library.id)).toMatchObject({ unchanged: 3 });
    await again.engine.close();
    expect(listBackups(path)).toHaveLength(1);
  });
});

describe('restoring', () => {
  it('takes a damaged library back to its newest backup', async () => {
    const first = await startTestEngine();
    const { library } = await importFolder(first.client, writeMusic({ perClass: 1 }));
    const made = await first.client.call('libraries.backUp', { libraryId: library.id });
    expect(made).toMatchObject({ reason: 'hand', sound: true });
    await first.engine.close();
    const path = join(library.dataFolder, 'library.db');
    writeFileSync(path, Buffer.alloc(100_000, 'garbage'));

    const { client } = await startTestEngine({ dataFolder: first.dataFolder });
    const [listed] = await client.call('libraries.list', {});
    expect(listed).toMatchObject({ id: library.id, name: library.name, problem: { code: 'database' } });
    expect(listed?.problem?.hint).toContain(made.at.slice(0, 10));
    const backups = await client.call('libraries.backups', { libraryId: library.id });
    expect(backups.map(({ name, sound }) => ({ name, sound }))).toEqual([{ name: made.name, sound: true }]);
    const restored = await client.call('libraries.restore', { libraryId: library.id, backup: made.name });
    expect(restored).toMatchObject({ id: library.id, problem: null, tracks: { total: 3, ready: 3 } });
    expect(readdirSync(library.dataFolder).filter((name) => name.includes('.damaged-'))).toHaveLength(1);
    expect(await reimport(client, library.id)).toMatchObject({ imported: 0, unchanged: 3 });
  });

  it('of a sound library keeps what was there as a backup, and refuses what is damaged', async () => {
    const { client } = await startTestEngine();
    const { library } = await importFolder(client, writeMusic({ perClass: 1 }));
    const { id: libraryId } = library;
    const made = await client.call('libraries.backUp', { libraryId });
    const told = listen(client);
    const restored = await client.call('libraries.restore', { libraryId, backup: made.name });
    expect(restored.tracks.ready).toBe(3);
    // Whoever has it open shows all of it again.
    const changed = (await told()).flatMap((event) => (event.type === 'library-changed' ? [event.what] : []));
    expect(changed).toEqual(
      expect.arrayContaining([
        'tracks',
        'taxonomies',
        'experiments',
        'reductions',
        'predictions',
        'mistakes',
      ]),
    );
    const backups = await client.call('libraries.backups', { libraryId });
    expect(backups.map(({ reason }) => reason).sort()).toEqual(['hand', 'restore']);
    const path = join(library.dataFolder, 'backups', made.name);
    writeFileSync(path, Buffer.alloc(9000, 'garbage'));
    await expect(client.call('libraries.restore', { libraryId, backup: made.name })).rejects.toMatchObject({
      code: 'database',
    });
    expect((await client.call('libraries.get', { libraryId })).tracks.ready).toBe(3);
    await expect(
      client.call('libraries.restore', { libraryId, backup: '../library.db' }),
    ).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('moving to another computer', () => {
  it('carries everything but the audio, and finds the tracks below another folder', async () => {
    const here = await startTestEngine();
    const music = writeMusic({ perClass: 2 });
    const { library } = await importFolder(here.client, music);
    const bundle = join(testFolder(), 'for the laptop');
    const { jobId: writing } = await here.client.call('libraries.bundle', {
      libraryId: library.id,
      folder: bundle,
    });
    const written = await finished(here.client, writing, 'bundle-library');
    expect(written.bundle.files.map(({ name }) => name)).toEqual(['library.db', 'cache.db']);
    await here.engine.close();

    const there = await startTestEngine();
    const elsewhere = writeMusic({ perClass: 2 });
    const taking = await there.client.call('libraries.takeIn', { bundle, folder: elsewhere });
    const { libraryId } = await finished(there.client, taking.jobId, 'take-in-library');
    const taken = await there.client.call('libraries.get', { libraryId });
    expect(taken).toMatchObject({ name: library.name, folders: [elsewhere], tracks: { total: 6, ready: 6 } });
    expect(await reimport(there.client, taken.id)).toMatchObject({ imported: 0, unchanged: 6 });
    const [track] = (await there.client.call('tracks.list', { libraryId: taken.id })).tracks;
    const detail = await there.client.call('tracks.get', { libraryId: taken.id, trackId: track?.id ?? '' });
    expect(detail.computedBy).toMatchObject({ provider: 'cpu' });
    const again = await there.client.call('libraries.takeIn', { bundle, folder: elsewhere });
    expect((await settled(there.client, again.jobId)).error).toMatchObject({ code: 'bad-input' });
  });

  it('lists no library before all of it is there, and keeps nothing that passes', async () => {
    const from = new LibraryCatalogue(testFolder());
    const { db } = from.open(testFolder(), {});
    from.close();

    const root = testFolder();
    const shelf = new LibraryCatalogue(root);
    const music = testFolder();
    const taken = await shelf.adopt(music, (folder) => {
      copyFileSync(db.path, join(folder, 'library.db'));
      expect(shelf.list()).toEqual([]);
      return Promise.resolve();
    });
    expect(shelf.list()).toMatchObject([{ id: taken.id, folders: [taken.folder()], problem: null }]);
    expect(shelf.nameOf(taken.id)).toBe(taken.summary().name);
    mkdirSync(join(taken.dataFolder, PASSING_FOLDER));
    writeFileSync(join(taken.dataFolder, PASSING_FOLDER, 'draw.wav'), 'x');
    shelf.close();
    const again = new LibraryCatalogue(root);
    expect(existsSync(join(taken.dataFolder, PASSING_FOLDER))).toBe(false);
    expect(again.list()).toHaveLength(1);
    again.close();
  });

  it('refuses a folder that is none, and one that was changed on the way, and leaves nothing', async () => {
    const { client, dataFolder } = await startTestEngine();
    const { library } = await importFolder(client, writeMusic({ perClass: 1 }));
    const bundle = join(testFolder(), 'moved');
    const { jobId } = await client.call('libraries.bundle', { libraryId: library.id, folder: bundle });
    await finished(client, jobId, 'bundle-library');
    writeFileSync(join(bundle, 'library.db'), readFileSync(join(bundle, 'library.db')).fill(1, 5000, 5100));
    const folder = writeMusic({ perClass: 1 });
    const taking = await client.call('libraries.takeIn', { bundle, folder });
    expect((await settled(client, taking.jobId)).error).toMatchObject({ code: 'database' });
    // By the name it had at first it is known as well.
    renameSync(join(bundle, 'library.archetone'), join(bundle, 'archetone-library.json'));
    const earlier = await client.call('libraries.takeIn', { bundle, folder });
    expect((await settled(client, earlier.jobId)).error).toMatchObject({ code: 'database' });
    rmSync(join(bundle, 'archetone-library.json'));
    await expect(client.call('libraries.takeIn', { bundle, folder })).rejects.toMatchObject({
      code: 'not-found',
    });
    expect(readdirSync(join(dataFolder, 'libraries'))).toEqual([library.id]);
    expect(existsSync(bundle)).toBe(true);
  });

  it('can be cancelled, and leaves nothing', async () => {
    const { client, dataFolder } = await startTestEngine();
    const { library } = await importFolder(client, writeMusic({ perClass: 1 }));
    const parent = testFolder();
    const folder = join(parent, 'carried');
    const writing = await client.call('libraries.bundle', { libraryId: library.id, folder });
    await client.call('jobs.cancel', writing);
    expect((await settled(client, writing.jobId)).state).toBe('cancelled');
    expect(readdirSync(parent)).toEqual([]);

    const whole = await client.call('libraries.bundle', { libraryId: library.id, folder });
    await finished(client, whole.jobId, 'bundle-library');
    const taking = await client.call('libraries.takeIn', {
      bundle: folder,
      folder: writeMusic({ perClass: 1 }),
    });
    await client.call('jobs.cancel', taking);
    expect((await settled(client, taking.jobId)).state).toBe('cancelled');
    expect(readdirSync(join(dataFolder, 'libraries'))).toEqual([library.id]);
  });

  it('stops in the middle of a file, and reports on the way', async () => {
    const folder = testFolder();
    const from = join(folder, 'large.db');
    writeFileSync(from, Buffer.alloc(8 << 20, 1));
    const stop = new AbortController();
    let seen = 0;
    const copying = copyFileWatched(from, join(folder, 'copy.db'), {
      signal: stop.signal,
      onBytes: (bytes) => {
        seen += bytes;
        stop.abort();
      },
    });
    // A file system that shares blocks has nothing to stop.
    await copying.then(
      () => expect(seen).toBe(0),
      (thrown: unknown) => expect(thrown).toMatchObject({ name: 'AbortError' }),
    );
    expect(seen).toBeLessThan(8 << 20);
  });
});
