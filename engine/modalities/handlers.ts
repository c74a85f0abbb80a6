import { answer } from '../answer.ts';
import type { Handlers } from '../api/contract.ts';
import { EngineError } from '../api/errors.ts';
import { modalityNames, type modalitiesMethods, type SharedSpace } from '../api/modalities.ts';
import type { EngineContext } from '../context.ts';
import { jobKind } from '../jobs/kind.ts';
import type { Library } from '../library/library.ts';
import { coverFits, findByModality, sharedClasses } from './find.ts';
import { readiness } from './gather.ts';
import { learnModalities, learnSharedSpecSchema } from './learn.ts';

/** Spaces that sound, covers and words share. */
export function modalitiesHandlers(context: EngineContext): Pick<Handlers, keyof typeof modalitiesMethods> {
  const { libraries, jobs } = context;
  jobs.register(
    jobKind({
      kind: 'learn-modalities',
      lane: 'compute',
      spec: learnSharedSpecSchema,
      title: ({ title }) => `Learn “${title}”`,
      run: (spec, job) => learnModalities(context, spec, job),
    }),
  );
  return {
    'modalities.readiness': ({ libraryId, classes }) =>
      answer(() => readiness(libraries.get(libraryId), classes)),
    'modalities.learn': (spec) =>
      answer(() => {
        // What is missing is said at once, not by a job.
        const { problem } = readiness(libraries.get(spec.libraryId), spec.classes);
        if (problem) throw new EngineError('too-few-labels', problem.message, problem.hint);
        return { jobId: jobs.start('learn-modalities', { libraryId: spec.libraryId, spec }) };
      }),
    'modalities.list': ({ libraryId }) => answer(() => listed(libraries.get(libraryId))),
    'modalities.find': (input, { signal }) =>
      findByModality(context, libraries.get(input.libraryId), input, signal),
    'modalities.covers': (input) => answer(() => coverFits(libraries.get(input.libraryId), input)),
    'modalities.classes': ({ libraryId, sharedId }, { signal }) =>
      sharedClasses(libraries.get(libraryId), sharedId, signal),
    'modalities.remove': ({ libraryId, sharedId }) =>
      answer(() => {
        libraries.get(libraryId).sharedSpaces.remove(sharedId);
        return null;
      }),
  };
}

function listed(library: Library): SharedSpace[] {
  const current = library.space().key;
  return library.sharedSpaces.list().map(({ id, title, createdAt, space, card }) => ({
    ...{ id, title, createdAt, current: space === current },
    ...{ classesFrom: card.classesFrom, classesTitle: card.classesTitle, settings: card.settings },
    steps: card.steps ?? card.settings.steps,
    imageNetwork: card.imageNetwork && { name: card.imageNetwork.name, path: card.imageNetwork.path },
    modalities: modalityNames.filter((of) => card.inputs[of] !== undefined),
    classes: card.classes.length,
    ...{ tracks: card.tracks, groups: card.groups, covers: card.covers.length, trials: card.trials },
    ...{ withoutCover: card.withoutCover, unreadCovers: card.unreadCovers },
    ...{ wordsLeftOut: card.wordsLeftOut, lyrics: card.lyrics },
  }));
}
