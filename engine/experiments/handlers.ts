import type { Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';
import type { compareMethods } from '../api/compare.ts';
import type { experimentsMethods } from '../api/experiments.ts';
import { compareRepeated, repeatedSpecSchema, requireComparable } from './repeated.ts';
import { compareExperiments } from './compare.ts';
import { chooseThresholdsAgain, setThreshold } from './thresholds.ts';
import { train, trainSpecSchema } from './train.ts';
import { chooseViews } from './choose-views.ts';
import { trainInViews } from './train-in-views.ts';
import { jobKind } from '../jobs/kind.ts';
import { answer } from '../answer.ts';

type Part = Pick<Handlers, keyof typeof experimentsMethods | keyof typeof compareMethods>;

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
        const library = context.libraries.get(libraryId);
        const { views } = request;
        const experiment = await (views === null
          ? train(context, library, request, job)
          : trainInViews(context, library, { ...request, views }, job));
        return { kind: 'train', experimentId: experiment.id };
      },
    }),
  );
  context.jobs.register(
    jobKind({
      kind: 'compare-repeated',
      lane: 'compute',
      spec: repeatedSpecSchema,
      title: ({ splits, ...spec }) => `Compare two experiments on ${splits} splits (${namesOf(spec)})`,
      run: async (spec, job) => {
        const { splits } = await compareRepeated(context.libraries.get(spec.libraryId), spec, job);
        return { kind: 'compare-repeated', first: spec.first, second: spec.second, splits: splits.length };
      },
    }),
  );
  const namesOf = ({ libraryId, first, second }: { libraryId: string; first: string; second: string }) => {
    const { experiments } = context.libraries.get(libraryId);
    return `${experiments.get(first).name}, ${experiments.get(second).name}`;
  };
  return {
    'experiments.list': ({ libraryId }) => answer(() => context.libraries.get(libraryId).experiments.list()),
    'experiments.get': ({ libraryId, experimentId }) =>
      answer(() => context.libraries.get(libraryId).experiments.get(experimentId)),
    'experiments.remove': ({ libraryId, experimentId }) =>
      answer(() => {
        context.libraries.get(libraryId).experiments.remove(experimentId);
        return null;
      }),
    'experiments.describe': ({ libraryId, experimentId, ...change }) =>
      answer(() => context.libraries.get(libraryId).experiments.describe(experimentId, change)),
    'experiments.compareRepeated': (spec) =>
      answer(() => {
        requireComparable(context.libraries.get(spec.libraryId), spec);
        return { jobId: context.jobs.start('compare-repeated', { libraryId: spec.libraryId, spec }) };
      }),
    'experiments.repeated': ({ libraryId, first, second }) =>
      answer(() => context.libraries.get(libraryId).experiments.repeated(first, second)),
    'experiments.setThreshold': ({ libraryId, ...request }, { signal }) =>
      setThreshold(context.libraries.get(libraryId), request, signal),
    'experiments.chooseThresholds': ({ libraryId, experimentId }, { signal }) =>
      chooseThresholdsAgain(context.libraries.get(libraryId), experimentId, signal),
    'experiments.compare': ({ libraryId, first, second }, { signal }) =>
      compareExperiments(context.libraries.get(libraryId), [first, second], signal),
    'experiments.train': (spec) =>
      answer(() => {
        // Said at once, not by a job that fails.
        if (spec.request.views) chooseViews(context.libraries.get(spec.libraryId), spec.request);
        return { jobId: context.jobs.start('train', { libraryId: spec.libraryId, spec }) };
      }),
  };
}
