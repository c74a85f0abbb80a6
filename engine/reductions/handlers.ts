import type { Handlers } from '../api/contract.ts';
import { EngineError } from '../api/errors.ts';
import type { EngineContext } from '../context.ts';
import type { Library } from '../library/library.ts';
import { jobKind } from '../jobs/kind.ts';
import { corpusFacts, corpusRows } from './corpus/index.ts';
import { scoreKnn } from './knn.ts';
import { reductionLabelsets } from './labelsets.ts';
import { generatedPrototypes } from './prototypes.ts';
import { studyChoices } from './study/choices.ts';
import { planStudy } from './study/plan.ts';
import { recommend } from './study/recommend.ts';
import { runStudy, studySpecSchema } from './study/run.ts';
import { studyStatistics } from './study/statistics.ts';
import { answer } from '../answer.ts';

type Part = Pick<Handlers, Extract<keyof Handlers, `reductions.${string}` | 'datasets.knn'>>;

/** Labelled corpora replaced by generated prototypes. */
export function reductionsHandlers(context: EngineContext): Part {
  context.jobs.register(
    jobKind({
      kind: 'study',
      lane: 'compute',
      resumable: true,
      spec: studySpecSchema,
      title: ({ libraryId, studyId }) =>
        `Study ${context.libraries.get(libraryId).studies.get(studyId).name}`,
      run: async ({ libraryId, studyId }, job) => {
        const reductions = await runStudy(context, context.libraries.get(libraryId), studyId, job);
        return { kind: 'study', studyId, reductions };
      },
    }),
  );
  const open = (libraryId: string): Library => context.libraries.get(libraryId);
  const startStudy = (libraryId: string, study: { id: string }): string => {
    const spec = { libraryId, studyId: study.id };
    const jobId = context.jobs.start('study', { libraryId, spec });
    context.libraries.get(libraryId).studies.setJob(study.id, jobId);
    return jobId;
  };
  const isActive = (jobId: string): boolean =>
    context.jobs.list().some(({ id, finishedAt }) => id === jobId && finishedAt === null);

  return {
    'reductions.choices': () => answer(studyChoices),
    'datasets.knn': (request, { signal }) => scoreKnn(context, request, signal),
    'reductions.corpus': async ({ libraryId, source }, { signal }) =>
      corpusFacts(await corpusRows(context, context.libraries.get(libraryId), source, signal), signal),
    'reductions.study': async ({ libraryId, request }, { signal }) => {
      const study = await planStudy(context, open(libraryId), request, signal);
      return { studyId: study.id, jobId: startStudy(libraryId, study) };
    },
    'reductions.continueStudy': ({ libraryId, studyId }) =>
      answer(() => {
        const study = open(libraryId).studies.get(studyId);
        if (study.jobId !== null && isActive(study.jobId)) return { jobId: study.jobId };
        return { jobId: startStudy(libraryId, study) };
      }),
    'reductions.studies': ({ libraryId }) => answer(() => open(libraryId).studies.list(isActive)),
    'reductions.removeStudy': ({ libraryId, studyId }) =>
      answer(() => {
        const { jobId } = open(libraryId).studies.get(studyId);
        if (jobId !== null && isActive(jobId)) context.jobs.cancel(jobId);
        open(libraryId).studies.remove(studyId);
        return null;
      }),
    'reductions.statistics': ({ libraryId, studyId, ...question }) =>
      answer(() => {
        const library = open(libraryId);
        return studyStatistics(library.studies.get(studyId), library.reductions.list(studyId), question);
      }),
    'reductions.recommend': ({ libraryId, studyId, ...question }) =>
      answer(() => {
        const { studies, reductions } = open(libraryId);
        const lost = (id: string): string[] => reductions.lostLabels(id);
        return recommend(studies.get(studyId), reductions.list(studyId), lost, question);
      }),
    'reductions.labelsets': ({ libraryId, reductionId }, { signal }) =>
      reductionLabelsets(context, open(libraryId), reductionId, signal),
    'reductions.restore': ({ libraryId, studyId, reductionId }) =>
      answer(() => {
        if (studyId === undefined && reductionId === undefined)
          throw new EngineError('bad-input', 'Nothing was named.', 'Name a study or a reduction.');
        if (studyId !== undefined) open(libraryId).studies.restore(studyId);
        if (reductionId !== undefined) open(libraryId).reductions.restore(reductionId);
        return null;
      }),
    'reductions.list': ({ libraryId, studyId }) => answer(() => open(libraryId).reductions.list(studyId)),
    'reductions.prototypes': ({ libraryId, reductionId }) =>
      generatedPrototypes(context, context.libraries.get(libraryId), reductionId),
    'reductions.remove': ({ libraryId, reductionId }) =>
      answer(() => {
        open(libraryId).reductions.remove(reductionId);
        return null;
      }),
  };
}
