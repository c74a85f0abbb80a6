import type { Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';
import { scoreFolders } from './folders.ts';
import { scorePack } from './score.ts';

/** What packs are worth. */
export function scoringHandlers(
  context: EngineContext,
): Pick<Handlers, 'packs.score' | 'packs.scoreFolders'> {
  return {
    'packs.score': (request, { signal }) => scorePack(context, request, signal),
    'packs.scoreFolders': (request, { signal }) => scoreFolders(context, request, signal),
  };
}
