import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Database } from '../../engine/storage/database.ts';

/** The files of a library, and of the engine, that a kind of damage may be done to. */
export interface DamagedFiles {
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
export const garbage = (path: string): void => writeFileSync(path, Buffer.alloc(50_000, 'garbage'));
export const scramble = (path: string, from: number, to: number): void => {
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill(0xff, from, Math.min(to, bytes.length)));
};
const half = (path: string): void => truncateSync(path, Math.floor(readFileSync(path).length / 8192) * 4096);

/**
 * A kind of damage, and what is to come of it: `opens`: nothing is lost and the engine goes on; `restores`: the library is
 * listed with what is wrong and its backup brings it back; `cache`: what was computed is computed again.
 */
export interface Damage {
  name: string;
  damage: (at: DamagedFiles) => void;
  then: 'opens' | 'restores' | 'cache';
  /** What people are told; nothing where nothing was lost. */
  says: RegExp;
}

export const damages: readonly Damage[] = [
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

/** Where the files of a library lie. @param data the engine's folder */
export function filesOf(data: string, libraryId: string): DamagedFiles {
  const folder = join(data, 'libraries', libraryId);
  return {
    own: join(folder, 'library.db'),
    cache: join(folder, 'cache.db'),
    json: join(folder, 'library.json'),
    jobs: join(data, 'jobs.db'),
  };
}
