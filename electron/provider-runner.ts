/** Engine side of the provider checks: runs in the engine process. */
import type { EngineOptions } from '../engine/engine.ts';
import type { Client } from '../engine/wire/contract.ts';
import type { MainContract } from './engine-contract.ts';

type ProviderRunner = NonNullable<EngineOptions['providerRunner']>;

/** Asks main to measure a provider in a process of its own. */
export function providerRunner(main: Client<MainContract>): ProviderRunner {
  return (request, signal) => main.call('checkProvider', request, { signal });
}
