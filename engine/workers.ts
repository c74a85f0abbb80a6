import { availableParallelism } from 'node:os';
import type { EngineOptions } from './context.ts';

/** Decode workers: one core is left for the models. */
export function decodeWorkers(options: Pick<EngineOptions, 'decodeWorkers'>): number {
  return options.decodeWorkers ?? Math.max(1, availableParallelism() - 1);
}
