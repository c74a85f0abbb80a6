import { dirname } from 'node:path';
import { cacheFolderOf } from './storage/cache-place.ts';
import type { EngineContext } from './context.ts';
import type { OwnPaths } from './grants.ts';
import { recordingsFolder } from './recordings/folder.ts';

/** What the engine itself tells its shells of the file system. */
export function ownPaths({ libraries, jobs, options }: EngineContext): OwnPaths {
  const named = (): string[] => [
    ...libraries.list().flatMap(({ folders }) => folders),
    recordingsFolder(options.dataFolder),
  ];
  return {
    named,
    shown: () => [
      ...named(),
      options.dataFolder,
      ...libraries.list().map(({ id }) => cacheFolderOf(dirname(libraries.databaseOf(id)))),
      ...options.packFolders,
      ...jobs.list().flatMap(({ result }) => (result?.kind === 'export' ? [result.export.folder] : [])),
    ],
  };
}
