import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { testFolder } from './music.ts';

const fixture = (schema: 3 | 4): string => join(import.meta.dirname, `../fixtures/library-${schema}`);

/** What the library of the fixture is, as the version that made it told. */
export const OLD = { id: idOfFixture(3), name: 'Three timbres', packId: 'compact' } as const;
/** The same of the version that first had spaces. */
export const OLD_WITH_SPACES = { id: idOfFixture(4), name: 'Three timbres, spaces' } as const;

function idOfFixture(schema: 3 | 4): string {
  return (JSON.parse(readFileSync(join(fixture(schema), 'library.json'), 'utf8')) as { id: string }).id;
}

/** Unpacks the library that schema 3 (or 4) left into a fresh data folder. @returns data folder, and folder of the library */
export function oldLibrary(schema: 3 | 4 = 3): { dataFolder: string; folder: string } {
  const dataFolder = testFolder();
  const folder = join(dataFolder, 'libraries', idOfFixture(schema));
  mkdirSync(folder, { recursive: true });
  cpSync(join(fixture(schema), 'library.json'), join(folder, 'library.json'));
  for (const name of ['library.db', 'cache.db'])
    writeFileSync(join(folder, name), gunzipSync(readFileSync(join(fixture(schema), `${name}.gz`))));
  return { dataFolder, folder };
}
