import { PackError } from '../packs/errors.ts';
import type { PackManifest } from '../packs/manifest.ts';
import type { PackRuntime } from '../packs/runtime.ts';
import { Random } from '../numerics/random.ts';
import type { SamplerName } from './sampler.ts';
import { schedule } from './sampler.ts';
import { sample, type Beginning, type Denoise } from './sampling.ts';

/** How a vector is made audible; steps, guidance and sampler default to the pack's. */
export interface SonifyOptions {
  /** Same seed, pack, vector, steps, guidance, sampler and beginning give the same sound. */
  seed: number;
  /** Of the whole way from noise, 1 … 1000; who starts from a recording takes those below its share. */
  steps?: number;
  /** ≥ 0; 0 is unguided and takes half the time. */
  guidance?: number;
  /** How the steps are made; `multistep` needs about a third of the steps of `ddim`. */
  sampler?: SamplerName;
  /** A recording to start from; left out: pure noise, as PECMAE does. */
  from?: Beginning | undefined;
  signal: AbortSignal;
  /** Called after each step with the number of steps done. */
  onStep?: (step: number, steps: number) => void;
}

/** A sound made from a vector, with what is needed to make it again. */
export interface Sonification {
  /** Mono, one window of the pack, within −1 … 1. */
  samples: Float32Array;
  sampleRate: number;
  steps: number;
  guidance: number;
  sampler: SamplerName;
  seed: number;
  /** True when the decoder went beyond full scale, and the whole sound was turned down to a peak of 0.99. */
  limited: boolean;
}

const LIMITED_PEAK = 0.99;

/** Frame features that were sampled for a vector, and how. */
export interface SampledFeatures {
  /** `[T, F]`. */
  features: Float32Array;
  steps: number;
  guidance: number;
  sampler: SamplerName;
  seed: number;
}

/** Runs of the denoiser that a draw takes: those of the whole way that lie below the share it starts at. */
export function stepsTaken(steps: number, sampler: SamplerName, from?: Pick<Beginning, 'share'>): number {
  return schedule(steps, sampler, from?.share).sigmas.length - 1;
}

/**
 * The first half of making a vector audible: noise (or a recording that was noised) is denoised into frame features under the vector's guidance
 * (DESIGN §5).
 * @param z `[D]`, in the pack's embedding space (not normalised)
 * @param denoise the pack's denoiser, or what shares it between draws
 * @throws PackError `not-generative` | `graph` …; RangeError on bad arguments; the signal's reason, at the next step
 */
export async function sampleFeatures(
  runtime: PackRuntime,
  z: Float32Array,
  options: SonifyOptions,
  denoise: Denoise = (x, sigma, c) => runtime.denoise(x, sigma, c),
): Promise<SampledFeatures> {
  const { manifest } = runtime.pack;
  if (!manifest.sampler)
    throw new PackError('not-generative', `the pack ${manifest.id} only makes embeddings`);
  const { initialNoise, method } = manifest.sampler;
  const { seed, signal, steps = manifest.sampler.steps, guidance = manifest.sampler.guidance } = options;
  const sampler = options.sampler ?? method;
  checkArguments(z, manifest, guidance);
  const noise = new Random(seed)
    .normals(manifest.framesPerWindow * manifest.featureDim)
    .map((e) => e * initialNoise);
  const taken = stepsTaken(steps, sampler, options.from);
  const features = await sample(denoise, {
    ...{ noise, z, sampler, steps, guidance, signal },
    from: options.from,
    onStep: (step) => options.onStep?.(step, taken),
  });
  return { features, steps, guidance, sampler, seed };
}

/**
 * The second half: frame features → sound, by the pack's decoder.
 * @throws PackError `not-generative` | `graph` …
 */
export async function decodeFeatures(
  runtime: PackRuntime,
  { features, ...how }: SampledFeatures,
): Promise<Sonification> {
  const decoded = await runtime.decode(features, 1);
  return { ...limit(decoded), sampleRate: runtime.pack.manifest.sampleRate, ...how };
}

function checkArguments(z: Float32Array, manifest: PackManifest, guidance: number): void {
  if (z.length !== manifest.embeddingDim)
    throw new RangeError(
      `the vector has ${z.length} numbers; the pack ${manifest.id} needs ${manifest.embeddingDim}`,
    );
  if (!z.every(Number.isFinite)) throw new RangeError('the vector has numbers that are not finite');
  if (!Number.isFinite(guidance) || guidance < 0)
    throw new RangeError(`guidance ${guidance} is not 0 or more`);
}

/** Never clips: a sound beyond full scale is turned down as a whole. */
function limit(samples: Float32Array): { samples: Float32Array; limited: boolean } {
  const peak = samples.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  if (peak <= 1) return { samples, limited: false };
  const gain = LIMITED_PEAK / peak;
  return { samples: samples.map((value) => value * gain), limited: true };
}
