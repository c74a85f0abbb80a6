import { cpus } from 'node:os';
import { env } from '../onnx/runtime.ts';
import type { ProviderName } from './provider-names.ts';

/**
 * What a vector was computed with. The same audio and the same pack give other last digits with another provider, version
 * or processor: within what the provider check allows, but not the same bits.
 */
export interface ComputedBy {
  /** Execution provider of ONNX Runtime. */
  provider: ProviderName;
  /** “onnxruntime 1.30.0” */
  runtime: string;
  /** Name of the machine's processor, as the system gives it; a graphics card is not named. */
  processor: string;
}

/** What computes in this process, on a provider. */
export function computedHere(provider: ProviderName): ComputedBy {
  return {
    provider,
    runtime: `onnxruntime ${env.versions.node ?? env.versions.common}`,
    processor: processorName(),
  };
}

/** Name of this machine's processor. */
export function processorName(): string {
  return (cpus()[0]?.model ?? process.arch).trim();
}
