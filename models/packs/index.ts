export { BATCH_SIZES, measureBatchSize, type BatchChoice } from './batch-size.ts';
export { computedHere, processorName, type ComputedBy } from './computed-by.ts';
export { PackError, type PackErrorCode } from './errors.ts';
export {
  HEAD_FILE,
  headManifestSchema,
  HeadSession,
  readHead,
  type Head,
  type HeadManifest,
} from './head.ts';
export { layerPack, layersOf, type Layer, type LayerChoice } from './layers.ts';
export { compactPackFolder } from './location.ts';
export {
  encoderGraphs,
  packManifestSchema,
  readPack,
  type GraphName,
  type Pack,
  type PackManifest,
} from './manifest.ts';
export { embeddingWidth, tokenChoices, type NetworkDescription, type TokenChoice } from './network.ts';
export { packWith, writePack, type PackFiles } from './pack-files.ts';
export { randomTwin, soundingTwin, twinManifest, type TwinHashes } from './random-twin.ts';
export { listProviders, type ProviderName } from './provider-names.ts';
export {
  inlineRunner,
  type Measurement,
  type MeasureRequest,
  type ProviderRunner,
} from './provider-measure.ts';
export { checkProviders, PROVIDER_TOLERANCE, type CheckOptions, type ProviderReport } from './providers.ts';
export { openRuntime, type PackRuntime, type RuntimeOptions } from './runtime.ts';
export { verifyPack, type VerificationReport } from './verify.ts';
