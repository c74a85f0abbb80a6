import type { Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';
import { importSpecSchema, registerImport } from './job.ts';
import { existingFolder } from '../library/libraries.ts';
import { answer } from '../answer.ts';

/** Import jobs. Asking again while one waits or runs for the same library and space gives that one. */
export function importHandlers(context: EngineContext): Pick<Handlers, 'import.start'> {
  registerImport(context);
  return {
    'import.start': (spec) =>
      answer(() => {
        const { libraryId, packId } = spec;
        const library = context.libraries.get(libraryId);
        const running = context.jobs
          .unfinished('import', libraryId)
          .find((job) => importSpecSchema.parse(job.spec).packId === packId);
        if (running) return { jobId: running.id };
        existingFolder(library.folder());
        // An unknown pack is told at once, not by a job.
        if (packId !== null) context.packs.get(packId);
        return { jobId: context.jobs.start('import', { libraryId, spec }) };
      }),
  };
}
