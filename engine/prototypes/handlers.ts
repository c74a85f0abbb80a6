import { answer } from '../answer.ts';
import type { Handlers } from '../api/contract.ts';
import type { prototypesMethods } from '../api/prototypes.ts';
import type { EngineContext } from '../context.ts';
import { jobKind } from '../jobs/kind.ts';
import { goTo } from '../experiments/revise.ts';
import { classMap } from './class-map.ts';
import { compareModels } from './compare.ts';
import { keepEdit, makeEdit } from './edit.ts';
import { listPrototypes, weightsOf } from './list.ts';
import { preparePreviews, previewEdit } from './preview.ts';
import { retrain, retrainSpecSchema } from './retrain.ts';

/** The prototypes of an experiment, and edits of them; every edit is a revision that can be undone. */
export function prototypesHandlers(context: EngineContext): Pick<Handlers, keyof typeof prototypesMethods> {
  const library = (id: string) => context.libraries.get(id);
  context.jobs.register(
    jobKind({
      kind: 'retrain',
      lane: 'compute',
      spec: retrainSpecSchema,
      title: ({ libraryId, experimentId }) =>
        `Retrain ${library(libraryId).experiments.get(experimentId).name}`,
      run: async ({ libraryId, ...request }, job) => {
        const { experiment, asNew } = await retrain(library(libraryId), request, job);
        return { kind: 'retrain', experimentId: experiment.id, revision: experiment.revision, asNew };
      },
    }),
  );
  return {
    'prototypes.list': ({ libraryId, experimentId }, { signal }) =>
      listPrototypes(context, library(libraryId), experimentId, signal),
    'prototypes.weights': ({ libraryId, ...request }) => answer(() => weightsOf(library(libraryId), request)),
    'prototypes.classMap': ({ libraryId, ...request }, { signal }) =>
      classMap(library(libraryId), request, signal),
    'prototypes.edit': ({ libraryId, ...request }, { signal }) =>
      makeEdit(library(libraryId), request, signal),
    'prototypes.preview': ({ libraryId, ...request }, { signal }) =>
      previewEdit(library(libraryId), request, signal),
    'prototypes.prepare': async ({ libraryId, experimentId }, { signal }) => {
      await preparePreviews(library(libraryId), experimentId, signal);
      return null;
    },
    'prototypes.keep': ({ libraryId, ...request }, { signal }) =>
      keepEdit(library(libraryId), request, signal),
    'prototypes.retrain': (spec) =>
      answer(() => ({ jobId: context.jobs.start('retrain', { libraryId: spec.libraryId, spec }) })),
    'prototypes.compare': ({ libraryId, ...request }, { signal }) =>
      compareModels(library(libraryId), request, signal),
    'prototypes.undo': ({ libraryId, experimentId }, { signal }) =>
      goTo(library(libraryId), experimentId, 'undo', signal),
    'prototypes.redo': ({ libraryId, experimentId }, { signal }) =>
      goTo(library(libraryId), experimentId, 'redo', signal),
    'prototypes.restore': ({ libraryId, experimentId, revision }, { signal }) =>
      goTo(library(libraryId), experimentId, { revision }, signal),
    'prototypes.log': ({ libraryId, experimentId }) =>
      answer(() => library(libraryId).experiments.log(experimentId)),
    'prototypes.nameRevision': ({ libraryId, experimentId, revision, name }) =>
      answer(() => {
        library(libraryId).experiments.nameRevision(experimentId, revision, name);
        return null;
      }),
  };
}
