import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { LibrarySummary } from '../../engine/api/libraries.ts';
import { Database } from '../../engine/storage/database.ts';
import { runCli } from '../support/cli.ts';
import { importFolder, reimport, startTestEngine, testFolder, writeMusic } from '../support/engine.ts';

/** A data folder with a library of three tracks and one backup, which nobody has open. */
let whole = '';
let music = '';
let library: LibrarySummary;

beforeAll(async () => {
  const { client, engine, dataFolder } = await startTestEngine();
  music = writeMusic({ perClass: 1 });
  ({ library } = await importFolder(client, music));
  await client.call('libraries.backUp', { libraryId: library.id });
  await engine.close();
  whole = dataFolder;
});

/** Where a case does its damage. */
interface Folders {
  data: string;
  own: string;
  cache: string;
  jobs: string;
  json: string;
}

const sql = (path: string, text: string): void => {
  const db = new Database(path);
  db.exec(text);
  db.close();
};
const garbage = (path: string): void => writeFileSync(path, Buffer.alloc(50_000, 'garbage'));
const scramble = (path: string, from: number, to: number): void => {
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill(0xff, from, Math.min(to, bytes.length)));
};
const half = (path: string): void => truncateSync(path, Math.floor(readFileSync(path).length / 8192) * 4096);

/**
 * Kinds of damage, and what is to come of each: `opens`: nothing is lost and the engine goes on; `restores`: the library
 * is listed with what is wrong and its backup brings it back; `cache`: what was computed is computed again.
 */
const kinds: {
  name: string;
  damage: (at: Folders) => void;
  then: 'opens' | 'restores' | 'cache';
  says: RegExp;
}[] = [
  { name: 'library.db is overwritten', damage: ({ own }) => garbage(own), then: 'restores', says: /damaged/ },
  {
    name: 'library.db is damaged inside',
    damage: ({ own }) => scramble(own, 4096, 50_000),
    then: 'restores',
    says: /damaged/,
  },
  { name: 'library.db is cut in half', damage: ({ own }) => half(own), then: 'restores', says: /damaged/ },
  {
    name: 'library.db is empty',
    damage: ({ own }) => writeFileSync(own, ''),
    then: 'restores',
    says: /missing or empty/,
  },
  {
    name: 'library.db is gone',
    damage: ({ own }) => rmSync(own),
    then: 'restores',
    says: /missing or empty/,
  },
  {
    name: 'library.db has lost a table',
    damage: ({ own }) => sql(own, 'DROP TABLE track_labels'),
    then: 'restores',
    says: /track_labels is missing/,
  },
  {
    name: 'library.db has lost an index',
    damage: ({ own }) => sql(own, 'DROP INDEX tracks_by_artist'),
    then: 'restores',
    says: /is missing/,
  },
  {
    name: 'library.db has lost a column',
    damage: ({ own }) => sql(own, 'DROP INDEX tracks_by_artist; ALTER TABLE tracks DROP COLUMN artist'),
    then: 'restores',
    says: /is missing/,
  },
  {
    name: 'library.db has lost its row',
    damage: ({ own }) => sql(own, 'PRAGMA foreign_keys = OFF; DELETE FROM library'),
    then: 'restores',
    says: /library/i,
  },
  {
    name: 'library.db is another database',
    damage: ({ own }) => {
      rmSync(own);
      sql(own, 'CREATE TABLE recipes (n); PRAGMA user_version = 4');
    },
    then: 'restores',
    says: /is missing/,
  },
  {
    name: 'library.db is a folder',
    damage: ({ own }) => {
      rmSync(own);
      mkdirSync(own);
    },
    then: 'restores',
    says: /cannot be read|missing or empty/,
  },
  { name: 'library.json is gone', damage: ({ json }) => rmSync(json), then: 'opens', says: /^$/ },
  {
    name: 'library.json is garbage',
    damage: ({ json }) => writeFileSync(json, '{"id":'),
    then: 'opens',
    says: /^$/,
  },
  {
    name: 'library.json and library.db are garbage',
    damage: ({ json, own }) => {
      writeFileSync(json, '!');
      garbage(own);
    },
    then: 'restores',
    says: /damaged/,
  },
  {
    name: 'cache.db is overwritten',
    damage: ({ cache }) => garbage(cache),
    then: 'cache',
    says: /cache .*damaged/,
  },
  {
    name: 'cache.db is damaged inside',
    damage: ({ cache }) => scramble(cache, 8192, 1e9),
    then: 'cache',
    says: /cache .*damaged/,
  },
  { name: 'cache.db is gone', damage: ({ cache }) => rmSync(cache), then: 'cache', says: /^$/ },
  {
    name: 'cache.db has lost a table',
    damage: ({ cache }) => sql(cache, 'DROP TABLE peaks'),
    then: 'cache',
    says: /cache .*damaged/,
  },
  {
    name: 'cache.db is of a newer version',
    damage: ({ cache }) => sql(cache, 'PRAGMA user_version = 99'),
    then: 'cache',
    says: /cache .*newer/,
  },
  {
    name: 'jobs.db is overwritten',
    damage: ({ jobs }) => garbage(jobs),
    then: 'opens',
    says: /list of jobs/,
  },
  {
    name: 'jobs.db is of a newer version',
    damage: ({ jobs }) => sql(jobs, 'PRAGMA user_version = 99'),
    then: 'opens',
    says: /list of jobs/,
  },
  {
    name: 'jobs.db has a bad row',
    damage: ({ jobs }) => sql(jobs, `UPDATE jobs SET job = 'nonsense'`),
    then: 'opens',
    says: /^$/,
  },
];

describe('damage', () => {
  it.each(kinds)('$name', async ({ damage, then, says }) => {
    const data = join(testFolder(), 'data');
    cpSync(whole, data, { recursive: true });
    const folder = join(data, 'libraries', library.id);
    damage({
      data,
      own: join(folder, 'library.db'),
      cache: join(folder, 'cache.db'),
      jobs: join(data, 'jobs.db'),
      json: join(folder, 'library.json'),
    });
    const { client, engine } = await startTestEngine({ dataFolder: data });
    const [listed, ...more] = await client.call('libraries.list', {});
    expect(more).toEqual([]);
    expect(listed).toMatchObject({ id: library.id, name: library.name, folders: [music] });
    if (then === 'restores') {
      expect(listed?.problem?.message).toMatch(says);
      expect(listed?.problem?.hint).toMatch(/Restore its backup of \d{4}-\d\d-\d\d/);
      const [newest] = await client.call('libraries.backups', { libraryId: library.id });
      expect(newest?.sound).toBe(true);
      await client.call('libraries.restore', { libraryId: library.id, backup: newest?.name ?? '' });
    } else {
      await client.call('tracks.list', { libraryId: library.id, limit: 10 }).catch(() => null);
      const { tracks } = await client.call('libraries.get', { libraryId: library.id });
      if (then === 'opens') expect(tracks).toMatchObject({ total: 3, ready: 3 });
    }
    const first = await reimport(client, library.id).catch(() => null);
    // Damage inside a large file is met while reading: it is told, and gone at the next try.
    const result = first ?? (await reimport(client, library.id));
    expect(result.imported + result.unchanged).toBe(3);
    const { notices } = await client.call('app.info', {});
    if (then !== 'restores') expect(notices.join(' ')).toMatch(says);
    await engine.close();
    // Nothing that people made was deleted: what was damaged lies beside, except what was gone.
    if (then === 'restores' && !/gone|empty/.test(expect.getState().currentTestName ?? ''))
      expect([...readdirSync(folder), ...readdirSync(join(folder, 'backups'))].join(' ')).toMatch(
        /damaged-|-restore\.db/,
      );
  });

  it('of everything at once is found by archetone doctor --deep, and taken back by archetone restore', async () => {
    const data = join(testFolder(), 'data');
    cpSync(whole, data, { recursive: true });
    const folder = join(data, 'libraries', library.id);
    const sound = await runCli(['doctor', '--deep', '--library', data, '--json']);
    const named = (run: typeof sound): { name: string; ok: boolean }[] =>
      (run.json() as { checks: { name: string; ok: boolean }[] }).checks.filter(({ name }) =>
        name.endsWith('.db'),
      );
    expect(named(sound).map(({ ok }) => ok)).toEqual([true, true, true, true]);
    scramble(join(folder, 'library.db'), 4096, 50_000);
    scramble(join(folder, 'cache.db'), 8192, 1e9);
    garbage(join(data, 'jobs.db'));
    const found = await runCli(['doctor', '--deep', '--library', data, '--json']);
    expect(found.code).not.toBe(0);
    expect(named(found).filter(({ ok }) => !ok)).toHaveLength(3);
    const restored = await runCli(['restore', '--library', data, '--json']);
    expect(restored.code, restored.stdout).toBe(0);
    expect(existsSync(join(folder, 'library.db'))).toBe(true);
    const backup = await runCli(['backup', '--library', data, '--json']);
    expect(backup.json()).toMatchObject({ reason: 'hand', sound: true });
  });
});
