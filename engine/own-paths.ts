import type { EngineContext } from './context.ts';
import type { OwnPaths } from './grants.ts';

/** What the engine itself tells its shells of the file system. */
export function ownPaths({ libraries, jobs, options }: EngineContext): OwnPaths {
  const named = (): string[] => libraries.list().flatMap(({ folders }) => folders);
  return {
    named,
    shown: () => [
      ...named(),
      options.dataFolder,
      ...options.packFolders,
      ...jobs.list().flatMap(({ result }) => (result?.kind === 'export' ? [result.export.folder] : [])),
    ],
  };
}
