import type { EngineOptions } from '../engine/engine.ts';
import { forkHelper } from '../engine/helpers/process.ts';
import type { Places } from './places.ts';

/** The processes that work for the engine with less than its rights; where one was not built its work is done in this one. */
export function helpersOf({
  embedder,
  readers,
}: Pick<Places, 'embedder' | 'readers'>): Pick<EngineOptions, 'embedder' | 'readers'> {
  return {
    ...(embedder === null ? {} : { embedder: forkHelper(embedder) }),
    ...(readers === null ? {} : { readers: forkHelper(readers) }),
  };
}
