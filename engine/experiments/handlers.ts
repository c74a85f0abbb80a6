import type { Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';
import { getExperiment, listExperiments, removeExperiment } from './store.ts';
import { nameOfTaxonomy } from './tracks.ts';
import { train, trainSpecSchema } from './train.ts';
import { typed } from '../packs/failures.ts';
import { answer } from '../answer.ts';

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
    'experiments.list': ({ libraryId }) => answer(() => listExperiments(context.libraries.get(libraryId))),
    'experiments.get': ({ libraryId, experimentId }) =>
      answer(() => getExperiment(context.libraries.get(libraryId), experimentId)),
    'experiments.remove': ({ libraryId, experimentId }) =>
      answer(() => {
        removeExperiment(context.libraries.get(libraryId), experimentId);
        context.events.emit({ type: 'library-changed', libraryId, what: 'experiments' });
        return null;
      }),
    'experiments.train': (spec) =>
      answer(() => {
        const { libraryId } = spec;
        const name = nameOfTaxonomy(context.libraries.get(libraryId), spec.request.taxonomyId);
        return { jobId: context.jobs.start('train', { title: `Train on ${name}`, libraryId, spec }) };
      }),
  };
}
