import { reductionMethods } from '../../models/reduction/index.ts';
import type { Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';
import { nameOfTaxonomy } from '../experiments/tracks.ts';
import { typed } from '../packs/failures.ts';
import { generatedPrototypes } from '../reductions/prototypes.ts';
import { reduceSpecSchema, runReduction } from '../reductions/reduce.ts';
import { listReductions, removeReduction } from '../reductions/store.ts';
import { answer } from './answer.ts';

type Part = Pick<
  Handlers,
  | 'reductions.methods'
  | 'reductions.start'
  | 'reductions.list'
  | 'reductions.prototypes'
  | 'reductions.remove'
>;

/** Labelled corpora replaced by generated prototypes. */
export function reductionsHandlers(context: EngineContext): Part {
  context.jobs.register('reduce', (spec, job) =>
    typed(async () => {
      const { libraryId, request } = reduceSpecSchema.parse(spec);
      const reduction = await runReduction(context, context.libraries.get(libraryId), request, job);
      return { kind: 'reduce', reductionId: reduction.id };
    }),
  );
  return {
    'reductions.methods': () =>
      answer(() =>
        reductionMethods.map(({ name, title, description, parameters }) => ({
          id: name,
          title,
          description,
          takesPercent: parameters.some((parameter) => parameter.name === 'p'),
        })),
      ),
    'reductions.start': (spec) =>
      answer(() => {
        const { libraryId, request } = spec;
        const name = nameOfTaxonomy(context.libraries.get(libraryId), request.taxonomyId);
        const title = `Reduce ${name} with ${request.method}`;
        return { jobId: context.jobs.start('reduce', { title, libraryId, spec }) };
      }),
    'reductions.list': ({ libraryId }) => answer(() => listReductions(context.libraries.get(libraryId))),
    'reductions.prototypes': ({ libraryId, reductionId }) =>
      typed(() => generatedPrototypes(context, context.libraries.get(libraryId), reductionId)),
    'reductions.remove': ({ libraryId, reductionId }) =>
      answer(() => {
        removeReduction(context.libraries.get(libraryId), reductionId);
        context.events.emit({ type: 'library-changed', libraryId, what: 'reductions' });
        return null;
      }),
  };
}
