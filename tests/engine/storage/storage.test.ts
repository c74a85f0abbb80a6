import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backUpNow } from '../../../engine/storage/backups.ts';
import { Database, toBlob } from '../../../engine/storage/database.ts';
import { lockDataFolder } from '../../../engine/storage/lock.ts';
import { migrate, schemaVersion } from '../../../engine/storage/migrate.ts';
import { migrations } from '../../../engine/storage/migrations/index.ts';
import { newId } from '../../../engine/identifier.ts';
import { Kept } from '../../../engine/library/kept.ts';
import { testFolder } from '../../support/music.ts';

function memory(): Database {
  const db = new Database(':memory:');
  db.exec('CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB, c TEXT)');
  return db;
}

describe('Database', () => {
  it('gives back numbers, texts, nulls and float arrays, by get as by all', () => {
    fc.assert(
      fc.property(fc.float32Array({ noNaN: true }), fc.option(fc.string()), (values, text) => {
        const db = memory();
        db.prepare('INSERT INTO t (b, c) VALUES (?, ?)').run([toBlob(values), text]);
        const select = db.prepare<{ b: ArrayBuffer; c: string | null }>('SELECT b, c FROM t');
        for (const row of [select.get(), ...select.all()]) {
          expect(new Float32Array(row?.b ?? new ArrayBuffer(4))).toEqual(values);
          // SQLite ends texts at NUL.
          expect(row?.c).toBe(text?.replace(/\0[^]*/, '') ?? null);
        }
        db.close();
      }),
      { numRuns: 50 },
    );
  });

  it('undoes a transaction that throws, and takes only whole ones', () => {
    const db = memory();
    const insert = db.prepare('INSERT INTO t (a) VALUES (?)');
    const count = (): unknown => db.prepare<{ n: number }>('SELECT COUNT(*) AS n FROM t').get()?.n;
    db.transaction(() => {
      insert.run([1]);
      db.transaction(() => insert.run([2]))();
    })();
    expect(count()).toBe(2);
    expect(() =>
      db.transaction(() => {
        insert.run([3]);
        insert.run([1]);
      })(),
    ).toThrow(/UNIQUE/);
    expect(count()).toBe(2);
  });
});

describe('migrations', () => {
  it('takes every database from nothing to the newest schema, also step by step', () => {
    for (const steps of Object.values(migrations)) {
      const at = testFolder();
      const whole = new Database(join(at, 'whole.db'));
      expect(migrate(whole, steps, { backup: true })).toEqual({ from: 0, to: steps.length, backup: null });
      const stepwise = new Database(join(at, 'steps.db'));
      for (let n = 1; n <= steps.length; n++) migrate(stepwise, steps.slice(0, n), { backup: true });
      const schema = 'SELECT type, name, sql FROM sqlite_schema ORDER BY name';
      expect(stepwise.prepare(schema).all()).toEqual(whole.prepare(schema).all());
      expect(schemaVersion(stepwise)).toBe(steps.length);
      expect(migrate(whole, steps, { backup: true }).backup).toBeNull();
    }
  });

  it('copies a database aside before changing it', () => {
    const at = testFolder();
    const db = new Database(join(at, 'x.db'));
    migrate(db, ['CREATE TABLE a (n INTEGER)'], { backup: true });
    db.exec('INSERT INTO a VALUES (42)');
    const { backup } = migrate(db, ['CREATE TABLE a (n INTEGER)', 'DELETE FROM a'], { backup: true });
    expect(backup).not.toBeNull();
    const copy = new Database(backup ?? '');
    expect(copy.prepare('SELECT n FROM a').all()).toEqual([{ n: 42 }]);
    expect(schemaVersion(copy)).toBe(1);
    expect(db.prepare('SELECT n FROM a').all()).toEqual([]);
  });

  it('keeps the old schema when a step fails', () => {
    const db = new Database(join(testFolder(), 'x.db'));
    const good = 'CREATE TABLE a (n INTEGER)';
    migrate(db, [good], { backup: true });
    expect(() =>
      migrate(db, [good, 'CREATE TABLE b (n INTEGER); SELECT nonsense;'], { backup: true }),
    ).toThrow();
    expect(schemaVersion(db)).toBe(1);
    expect(db.prepare(`SELECT name FROM sqlite_schema WHERE name = 'b'`).all()).toEqual([]);
  });

  it('keeps the five newest backups', async () => {
    const at = testFolder();
    const db = new Database(join(at, 'x.db'));
    migrate(db, ['CREATE TABLE a (n INTEGER)'], { backup: true });
    const paths: string[] = [];
    for (let i = 0; i < 7; i++) {
      paths.push(backUpNow(db, `schema-${i}`));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const { readdirSync } = await import('node:fs');
    expect(readdirSync(join(at, 'backups')).map((name) => join(at, 'backups', name))).toEqual(paths.slice(2));
  });
});

describe('lock of the data folder', () => {
  it('lets one engine in, and the next after it', () => {
    const folder = testFolder();
    const unlock = lockDataFolder(folder);
    expect(() => lockDataFolder(folder)).toThrow(expect.objectContaining({ code: 'library-busy' }));
    unlock();
    lockDataFolder(folder)();
  });
});

describe('identifiers', () => {
  it('are distinct, valid in the contract, and ordered by time', () => {
    const ids = Array.from({ length: 1000 }, (_, i) => newId(1_700_000_000_000 + i));
    expect(new Set(ids).size).toBe(1000);
    expect([...ids].sort()).toEqual(ids);
    for (const id of ids) expect(id).toMatch(/^[0-9A-Z]{26}$/);
  });
});

describe('what is kept of a table', () => {
  it('is read anew after a transaction that was undone', () => {
    const db = new Database(join(testFolder(), 'a.db'));
    db.exec('CREATE TABLE a (n INTEGER)');
    const kept = new Kept<'count', number>(db, ['a'], 1);
    const count = () => kept.get('count', () => db.prepare('SELECT n FROM a').all().length);
    const undone = db.transaction(() => {
      db.prepare('INSERT INTO a VALUES (1)').run();
      expect(count()).toBe(1);
      throw new Error('no');
    });
    expect(undone).toThrow('no');
    expect(count()).toBe(0);
    db.close();
  });

  it('is known to be old after every write to it, also one that gives rows', () => {
    const db = new Database(join(testFolder(), 'x.db'));
    db.exec('CREATE TABLE a (n INTEGER); CREATE TABLE b (n INTEGER)');
    const grows = (work: () => unknown): boolean => {
      const before = db.revision('a');
      work();
      return db.revision('a') > before;
    };
    expect(grows(() => db.prepare('INSERT INTO a VALUES (1), (2)').run())).toBe(true);
    expect(grows(() => db.prepare('UPDATE a SET n = 3 WHERE n = 1 RETURNING n').all())).toBe(true);
    expect(grows(() => db.prepare('DELETE FROM a WHERE n = 2 RETURNING n').get())).toBe(true);
    expect(grows(() => db.prepare('SELECT n FROM a').all())).toBe(false);
    expect(grows(() => db.prepare('INSERT INTO b VALUES (1) RETURNING n').all())).toBe(false);
  });
});
