import type { Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';
import { typed } from '../packs/failures.ts';
import { sonifySpecSchema, sonifyTargets } from './sonify.ts';
import { answer } from '../answer.ts';

/** Vectors made audible. */
export function sonifyHandlers(context: EngineContext): Pick<Handlers, 'sonify.start'> {
  context.jobs.register('sonify', (spec, job) =>
    typed(async () => {
      const { libraryId, ...request } = sonifySpecSchema.parse(spec);
      const library = context.libraries.get(libraryId);
      return { kind: 'sonify', sonifications: await sonifyTargets(context, library, request, job) };
    }),
  );
  return {
    'sonify.start': (spec) =>
      answer(() => {
        const library = context.libraries.get(spec.libraryId);
        const title = spec.targets.length === 1 ? 'Sonify a vector' : `Sonify ${spec.targets.length} vectors`;
        return { jobId: context.jobs.start('sonify', { title, libraryId: library.id, spec }) };
      }),
  };
}
