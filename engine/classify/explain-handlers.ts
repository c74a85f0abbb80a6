import type { Handlers } from '../api/contract.ts';
import { answer } from '../answer.ts';
import { explainTrack } from './explain.ts';
import type { EngineContext } from '../context.ts';

/** Why a track, or a window of it, got its class. */
export function explainHandlers(context: EngineContext): Pick<Handlers, 'explain.track'> {
  return {
    'explain.track': ({ libraryId, ...request }) =>
      answer(() => explainTrack(context.libraries.get(libraryId), request)),
  };
}
