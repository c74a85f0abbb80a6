import type { Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';
import { getExperiment, listExperiments, removeExperiment } from '../experiments/store.ts';
import { nameOfTaxonomy } from '../experiments/tracks.ts';
import { train, trainSpecSchema } from '../experiments/train.ts';
import { typed } from '../packs/failures.ts';

type Part = Pick<
  Handlers,
  'experiments.list' | 'experiments.get' | 'experiments.remove' | 'experiments.train'
>;

/** Training and the experiments that came of it. */
export function experimentsHandlers(context: EngineContext): Part {
  context.jobs.register('train', (spec, job) =>
    typed(async () => {
      const { libraryId, request } = trainSpecSchema.parse(spec);
      const experiment = await train(context, context.libraries.get(libraryId), request, job);
      return { kind: 'train', experimentId: experiment.id };
    }),
  );
  return {
    'experiments.list': async ({ libraryId }) => listExperiments(context.libraries.get(libraryId)),
    'experiments.get': async ({ libraryId, experimentId }) =>
      getExperiment(context.libraries.get(libraryId), experimentId),
    'experiments.remove': async ({ libraryId, experimentId }) => {
      removeExperiment(context.libraries.get(libraryId), experimentId);
      context.events.emit({ type: 'library-changed', libraryId, what: 'experiments' });
      return null;
    },
    'experiments.train': async (spec) => {
      const name = nameOfTaxonomy(context.libraries.get(spec.libraryId), spec.request.taxonomyId);
      const jobId = context.jobs.start('train', { title: `Train on ${name}`, libraryId: spec.libraryId, spec });
      return { jobId };
    },
  };
}
