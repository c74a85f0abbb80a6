import { answer } from '../answer.ts';
import type { Handlers } from '../api/contract.ts';
import type { listeningMethods } from '../api/listening.ts';
import type { EngineContext } from '../context.ts';
import { exportListening } from './export.ts';
import { answerRound, startTest, summaryOf, testOf } from './tests.ts';

/** Blind listening tests. */
export function listeningHandlers(context: EngineContext): Pick<Handlers, keyof typeof listeningMethods> {
  const library = (id: string) => context.libraries.get(id);
  return {
    'listening.start': ({ libraryId, ...request }, { signal }) =>
      startTest(context, library(libraryId), request, signal),
    'listening.answer': ({ libraryId, ...request }) => answer(() => answerRound(library(libraryId), request)),
    'listening.get': ({ libraryId, testId }) => answer(() => testOf(library(libraryId), testId)),
    'listening.list': ({ libraryId }) =>
      answer(() => {
        const of = library(libraryId);
        return of.listening.list().map((test) => summaryOf(of, test));
      }),
    'listening.remove': ({ libraryId, testId }) =>
      answer(() => {
        library(libraryId).listening.remove(testId);
        return null;
      }),
    'listening.export': ({ libraryId, ...request }) => exportListening(library(libraryId), request),
  };
}
