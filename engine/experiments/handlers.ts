import type { Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';
import { compareExperiments } from './compare.ts';
import { chooseThresholdsAgain, setThreshold } from './thresholds.ts';
import { train, trainSpecSchema } from './train.ts';
import { jobKind } from '../jobs/kind.ts';
import { answer } from '../answer.ts';

type Part = Pick<
  Handlers,
  | 'experiments.list'
  | 'experiments.get'
  | 'experiments.remove'
  | 'experiments.setThreshold'
  | 'experiments.chooseThresholds'
  | 'experiments.train'
  | 'experiments.compare'
>;

/** Training and the experiments that came of it. */
export function experimentsHandlers(context: EngineContext): Part {
  context.jobs.register(
    jobKind({
      kind: 'train',
      lane: 'compute',
      spec: trainSpecSchema,
      // How many classes there are is known once labels and embeddings are read.
      title: ({ libraryId, request }) =>
        `Train ${context.libraries.get(libraryId).taxonomies.nameOf(request.taxonomyId)}`,
      run: async ({ libraryId, request }, job) => {
        const experiment = await train(context, context.libraries.get(libraryId), request, job);
        return { kind: 'train', experimentId: experiment.id };
      },
    }),
  );
  return {
    'experiments.list': ({ libraryId }) => answer(() => context.libraries.get(libraryId).experiments.list()),
    'experiments.get': ({ libraryId, experimentId }) =>
      answer(() => context.libraries.get(libraryId).experiments.get(experimentId)),
    'experiments.remove': ({ libraryId, experimentId }) =>
      answer(() => {
        context.libraries.get(libraryId).experiments.remove(experimentId);
        return null;
      }),
    'experiments.setThreshold': ({ libraryId, ...request }, { signal }) =>
      setThreshold(context.libraries.get(libraryId), request, signal),
    'experiments.chooseThresholds': ({ libraryId, experimentId }, { signal }) =>
      chooseThresholdsAgain(context.libraries.get(libraryId), experimentId, signal),
    'experiments.compare': ({ libraryId, first, second }, { signal }) =>
      compareExperiments(context.libraries.get(libraryId), [first, second], signal),
    'experiments.train': (spec) =>
      answer(() => ({ jobId: context.jobs.start('train', { libraryId: spec.libraryId, spec }) })),
  };
}
