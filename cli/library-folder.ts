import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../engine/api/errors.ts';

/**
 * Refuses a folder that holds no library, before an engine would make databases in it.
 * @throws EngineError `not-found`
 */
export function requireLibraryFolder(folder: string): void {
  if (!existsSync(join(folder, 'libraries'))) throw noLibrary(folder);
}

export function noLibrary(folder: string): EngineError {
  return new EngineError(
    'not-found',
    `There is no library in ${folder}.`,
    `Import music first: archetone import <folder> --library ${folder}`,
  );
}
