import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { testFolder } from './engine.ts';

const fixture = join(import.meta.dirname, '../fixtures/library-3');

/** What the library of the fixture is, as the version that made it told. */
export const OLD = { id: idOfFixture(), name: 'Three timbres', packId: 'compact' } as const;

function idOfFixture(): string {
  return (JSON.parse(readFileSync(join(fixture, 'library.json'), 'utf8')) as { id: string }).id;
}

/** Unpacks the library that schema 3 left into a fresh data folder. @returns data folder, and folder of the library */
export function oldLibrary(): { dataFolder: string; folder: string } {
  const dataFolder = testFolder();
  const folder = join(dataFolder, 'libraries', OLD.id);
  mkdirSync(folder, { recursive: true });
  cpSync(join(fixture, 'library.json'), join(folder, 'library.json'));
  for (const name of ['library.db', 'cache.db'])
    writeFileSync(join(folder, name), gunzipSync(readFileSync(join(fixture, `${name}.gz`))));
  return { dataFolder, folder };
}
