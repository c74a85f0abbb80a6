import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Database } from '../../engine/storage/database.ts';
import { storageError } from '../../engine/storage/errors.ts';
import { schemaVersion } from '../../engine/storage/migrate.ts';
import { migrations } from '../../engine/storage/migrations/index.ts';
import { openLibraryDatabases } from '../../engine/storage/open.ts';
import { importFolder, reimport, startTestEngine } from '../support/engine.ts';
import { testFolder, writeMusic } from '../support/music.ts';

describe('a damaged database', () => {
  it.each([
    ['overwritten', (bytes: Buffer) => Buffer.alloc(bytes.length, 'garbage')],
    ['damaged inside', (bytes: Buffer) => bytes.fill(0xff, 4096, 4096 * 12)],
    ['emptied', () => Buffer.alloc(0)],
  ])('%s is told and left as it is', async (_how, damage) => {
    const first = await startTestEngine();
    const folder = writeMusic({ perClass: 1 });
    const { library } = await importFolder(first.client, folder);
    await first.engine.close();
    const path = join(library.dataFolder, 'library.db');
    for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true });
    const broken = damage(readFileSync(path));
    writeFileSync(path, broken);

    const { client } = await startTestEngine({ dataFolder: first.dataFolder });
    for (const call of [
      client.call('libraries.get', { libraryId: library.id }),
      client.call('libraries.open', { folder }),
    ]) {
      const error: unknown = await call.then(
        () => null,
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({ code: 'database' });
      expect((error as { hint: string }).hint).not.toBe('');
    }
    // It is still listed, so that it can be removed; what is in the file is what was there.
    expect((await client.call('libraries.list', {})).map((l) => l.id)).toEqual([library.id]);
    expect(readFileSync(path).subarray(0, broken.length)).toEqual(broken);
    await client.call('libraries.remove', { libraryId: library.id });
    expect((await importFolder(client, folder)).result.imported).toBe(3);
  });

  it('that is only a cache is made anew', async () => {
    const first = await startTestEngine();
    const folder = writeMusic({ perClass: 1 });
    const { library } = await importFolder(first.client, folder);
    await first.engine.close();
    writeFileSync(join(library.dataFolder, 'cache.db'), 'garbage'.repeat(1000));
    const { client } = await startTestEngine({ dataFolder: first.dataFolder });
    expect(await reimport(client, library.id)).toMatchObject({ imported: 3, unchanged: 0 });
  });

  it('that is missing is not quietly replaced by an empty one', async () => {
    const first = await startTestEngine();
    const folder = writeMusic({ perClass: 1 });
    const { library } = await importFolder(first.client, folder);
    await first.engine.close();
    rmSync(join(library.dataFolder, 'library.db'));
    const { client } = await startTestEngine({ dataFolder: first.dataFolder });
    await expect(client.call('libraries.open', { folder })).rejects.toMatchObject({ code: 'database' });
    expect(existsSync(join(library.dataFolder, 'library.db'))).toBe(false);
  });
});

describe('a newer database', () => {
  it('is refused untouched', () => {
    const folder = testFolder();
    openLibraryDatabases(folder).close();
    const path = join(folder, 'library.db');
    const db = new Database(path);
    db.exec('PRAGMA user_version = 99');
    db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all();
    db.close();
    const before = readFileSync(path);
    expect(() => openLibraryDatabases(folder)).toThrow(expect.objectContaining({ code: 'database-newer' }));
    expect(readFileSync(path)).toEqual(before);
  });

  it('of jobs is put aside, and said: it keeps nobody from a library', async () => {
    const first = await startTestEngine();
    await first.engine.close();
    const path = join(first.dataFolder, 'jobs.db');
    const db = new Database(path);
    db.exec('PRAGMA user_version = 99');
    db.close();
    const { client } = await startTestEngine({ dataFolder: first.dataFolder });
    const { notices } = await client.call('app.info', {});
    expect(notices).toHaveLength(1);
    expect(notices[0]).toContain('newer version');
    expect(readdirSync(first.dataFolder)).toContain('jobs.db.newer');
  });
});

describe('an older database', () => {
  it('is copied aside, brought up to date and keeps its rows', () => {
    const folder = testFolder();
    const old = new Database(join(folder, 'library.db'));
    old.exec(migrations.library[0]);
    old.exec('PRAGMA user_version = 1');
    old.exec(
      `INSERT INTO tracks (id, path, state, title, search_text, added_at) VALUES ('t', 'a.wav', 'failed', 'a', 'a', '')`,
    );
    old.close();
    const db = openLibraryDatabases(folder);
    expect(schemaVersion(db)).toBe(migrations.library.length);
    expect(db.prepare('SELECT id, path FROM tracks').all()).toEqual([{ id: 't', path: 'a.wav' }]);
    db.close();
    const [backup] = readdirSync(join(folder, 'backups'));
    const copy = new Database(join(folder, 'backups', backup ?? ''));
    expect(schemaVersion(copy)).toBe(1);
    expect(copy.prepare('SELECT id FROM tracks').all()).toEqual([{ id: 't' }]);
  });
});

describe('a data folder', () => {
  it('serves one engine at a time', async () => {
    const { dataFolder, restart } = await startTestEngine();
    await expect(startTestEngine({ dataFolder })).rejects.toMatchObject({ code: 'library-busy' });
    await restart();
  });
});

describe('errors of the file system', () => {
  it.each([
    ['ENOSPC', 'disk-full'],
    ['EDQUOT', 'disk-full'],
    ['SQLITE_FULL', 'disk-full'],
    ['SQLITE_NOTADB', 'database'],
    ['SQLITE_IOERR_READ', 'database'],
    ['SQLITE_BUSY', 'library-busy'],
    ['EACCES', 'database'],
  ])('%s means %s', (code, meaning) => {
    const error = storageError(Object.assign(new Error('x'), { code }), '/somewhere/library.db');
    expect(error.code).toBe(meaning);
    expect(error.message).toContain('/somewhere/library.db');
    expect(error.hint).not.toBe('');
  });
});
