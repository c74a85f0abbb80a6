import type { Handlers } from '../api/contract.ts';
import { answer } from '../answer.ts';
import type { EngineContext } from '../context.ts';
import { jobKind } from '../jobs/kind.ts';
import { findMistakes, mistakesSpecSchema } from './compute.ts';
import { decideMistake, undoDecision } from './decide.ts';
import { exportMistakes } from './export.ts';
import { describeReport, listMistakes } from './lists.ts';

type Part = Pick<
  Handlers,
  | 'mistakes.compute'
  | 'mistakes.report'
  | 'mistakes.list'
  | 'mistakes.decide'
  | 'mistakes.undo'
  | 'mistakes.decisions'
  | 'mistakes.export'
>;

/** Labels that are probably wrong. */
export function mistakesHandlers(context: EngineContext): Part {
  const { libraries, jobs } = context;
  jobs.register(
    jobKind({
      kind: 'mistakes',
      lane: 'compute',
      resumable: true,
      spec: mistakesSpecSchema,
      title: ({ libraryId, taxonomyId }) =>
        `Find mistakes in ${libraries.get(libraryId).taxonomies.nameOf(taxonomyId)}`,
      run: async (spec, job) => {
        const { id, mistakes } = await findMistakes(
          libraries.get(spec.libraryId),
          spec,
          job,
          context.readers,
        );
        return { kind: 'mistakes', reportId: id, mistakes: mistakes.length };
      },
    }),
  );
  return {
    'mistakes.compute': (spec) =>
      answer(() => {
        libraries.get(spec.libraryId).taxonomies.nameOf(spec.taxonomyId);
        return { jobId: jobs.start('mistakes', { libraryId: spec.libraryId, spec }) };
      }),
    'mistakes.report': ({ libraryId, taxonomyId }) =>
      answer(() => describeReport(libraries.get(libraryId), taxonomyId)),
    'mistakes.list': ({ libraryId, ...request }) =>
      answer(() => listMistakes(libraries.get(libraryId), request)),
    'mistakes.decide': ({ libraryId, ...request }) =>
      answer(() => decideMistake(libraries.get(libraryId), request)),
    'mistakes.undo': ({ libraryId, taxonomyId }) =>
      answer(() => undoDecision(libraries.get(libraryId), taxonomyId)),
    'mistakes.decisions': ({ libraryId, taxonomyId }) =>
      answer(() => {
        const library = libraries.get(libraryId);
        library.taxonomies.nameOf(taxonomyId);
        return library.mistakes.decisions(taxonomyId);
      }),
    'mistakes.export': ({ libraryId, ...request }) => exportMistakes(libraries.get(libraryId), request),
  };
}
