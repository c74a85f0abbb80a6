import type { Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';
import { registerImport } from './job.ts';
import { existingFolder } from '../library/libraries.ts';
import { answer } from '../answer.ts';

/** Import jobs. Asking again while one waits or runs for the same library gives that one. */
export function importHandlers(context: EngineContext): Pick<Handlers, 'import.start'> {
  registerImport(context);
  return {
    'import.start': ({ libraryId, everything, overQueue }) =>
      answer(() => {
        const library = context.libraries.get(libraryId);
        const running = context.jobs
          .list()
          .find((job) => job.kind === 'import' && job.libraryId === libraryId && job.finishedAt === null);
        if (running) return { jobId: running.id };
        existingFolder(library.folder());
        return {
          jobId: context.jobs.start('import', { libraryId, spec: { libraryId, everything, overQueue } }),
        };
      }),
  };
}
