import type { Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';
import { jobKind } from '../jobs/kind.ts';
import { nameOfVectors } from '../neighbours/vector-ref.ts';
import { sonifySpecSchema, sonifyTargets } from './sonify.ts';
import { answer } from '../answer.ts';

/** Vectors made audible. */
export function sonifyHandlers(context: EngineContext): Pick<Handlers, 'sonify.start'> {
  context.jobs.register(
    jobKind({
      kind: 'sonify',
      // One sound is listened to; all of an experiment are work.
      lane: ({ targets }) => (targets.length === 1 ? 'listen' : 'compute'),
      spec: sonifySpecSchema,
      title: ({ libraryId, targets }) => `Sonify ${nameOfVectors(context.libraries.get(libraryId), targets)}`,
      run: async ({ libraryId, ...request }, job) => {
        const library = context.libraries.get(libraryId);
        return { kind: 'sonify', sonifications: await sonifyTargets(context, library, request, job) };
      },
    }),
  );
  return {
    'sonify.start': (spec) =>
      answer(() => ({ jobId: context.jobs.start('sonify', { libraryId: spec.libraryId, spec }) })),
  };
}
