import { checkLimits } from '../../models/melody/midi.ts';
import { endOf, inOrder } from '../../models/melody/note.ts';
import { answer } from '../answer.ts';
import type { Handlers } from '../api/contract.ts';
import type { melodiesMethods } from '../api/melodies.ts';
import type { EngineContext } from '../context.ts';
import { jobKind } from '../jobs/kind.ts';
import { continueInLibrary, continueSpecSchema, learningOf } from './continue.ts';
import { limits } from './play.ts';

/** Melodies that a library keeps, and how they go on. */
export function melodiesHandlers(context: EngineContext): Pick<Handlers, keyof typeof melodiesMethods> {
  const { jobs, libraries } = context;
  const of = (libraryId: string) => libraries.get(libraryId).melodies;
  jobs.register(
    jobKind({
      kind: 'continue-melody',
      lane: 'listen',
      spec: continueSpecSchema,
      title: ({ notes, bars }) =>
        notes.length === 0 ? `Begin a melody of ${bars} bars` : `Continue a melody by ${bars} bars`,
      run: async ({ libraryId, ...request }, job) => ({
        kind: 'continue-melody',
        continuation: await continueInLibrary(libraries.get(libraryId), request, job),
      }),
    }),
  );
  return {
    'melodies.list': ({ libraryId }) => answer(() => of(libraryId).list()),
    'melodies.get': ({ libraryId, melodyId }) =>
      answer(() => ({ melody: of(libraryId).get(melodyId), notes: of(libraryId).notes(melodyId) })),
    'melodies.keep': ({ libraryId, notes, ...melody }) =>
      answer(() => {
        checkLimits(notes, limits);
        return of(libraryId).keep({ ...melody, notes: inOrder(notes), seconds: endOf(notes) });
      }),
    'melodies.rename': ({ libraryId, melodyId, name }) => answer(() => of(libraryId).rename(melodyId, name)),
    'melodies.remove': ({ libraryId, melodyIds }) =>
      answer(() => {
        of(libraryId).remove(melodyIds);
        return null;
      }),
    'melodies.restore': ({ libraryId, melodyIds }) =>
      answer(() => {
        of(libraryId).restore(melodyIds);
        return null;
      }),
    'melodies.learning': ({ libraryId }) => answer(() => learningOf(libraries.get(libraryId))),
    'melodies.continue': (spec) =>
      answer(() => ({ jobId: jobs.start('continue-melody', { libraryId: spec.libraryId, spec }) })),
  };
}
