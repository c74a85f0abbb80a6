export { computedHere, type ComputedBy } from './computed-by.ts';
export { PackError, type PackErrorCode } from './errors.ts';
export { compactPackFolder } from './location.ts';
export { packManifestSchema, readPack, type GraphName, type Pack, type PackManifest } from './manifest.ts';
export { listProviders, type ProviderName } from './provider-names.ts';
export { inlineRunner, type Measurement, type MeasureRequest, type ProviderRunner } from './provider-measure.ts';
export { checkProviders, PROVIDER_TOLERANCE, type CheckOptions, type ProviderReport } from './providers.ts';
export { openRuntime, type PackRuntime, type RuntimeOptions } from './runtime.ts';
export { verifyPack, type VerificationReport } from './verify.ts';
