import type { PackRuntime } from '../../models/packs/index.ts';
import {
  decodeFeatures,
  sampleFeatures,
  type Sonification,
  type SonifyOptions,
} from '../../models/pecmae/sonify.ts';

/** One draw, decoded: what `sonifyBest` chooses from. */
export async function sonify(
  runtime: PackRuntime,
  z: Float32Array,
  options: SonifyOptions,
): Promise<Sonification> {
  return decodeFeatures(runtime, await sampleFeatures(runtime, z, options));
}
