import type { Handlers } from '../api/contract.ts';
import type { EngineContext } from '../context.ts';
import { scorePack } from './score.ts';

/** What packs are worth. */
export function scoringHandlers(context: EngineContext): Pick<Handlers, 'packs.score'> {
  return { 'packs.score': (request, { signal }) => scorePack(context, request, signal) };
}
