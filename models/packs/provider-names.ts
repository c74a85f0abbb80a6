import { listSupportedBackends } from '../onnx/runtime.ts';

/** Execution providers of ONNX Runtime that Archetone uses, in order of expected speed. */
const PROVIDER_NAMES = ['cuda', 'dml', 'coreml', 'webgpu', 'cpu'] as const;
/** One of {@link PROVIDER_NAMES}. */
export type ProviderName = (typeof PROVIDER_NAMES)[number];

/**
 * Providers that the installed ONNX Runtime offers on this platform. Being listed does not mean that a device or its
 * libraries are there: only `checkProviders` tells.
 */
export function listProviders(): ProviderName[] {
  const offered = new Set(listSupportedBackends().map((backend) => backend.name));
  return PROVIDER_NAMES.filter((name) => name === 'cpu' || offered.has(name));
}
