import { PackError } from '../packs/errors.ts';
import type { PackManifest } from '../packs/manifest.ts';
import type { PackRuntime } from '../packs/runtime.ts';
import { Random } from '../random.ts';
import { guide, schedule, step } from './sampler.ts';

/** Options of {@link sonify}; steps and guidance default to the pack's. */
export interface SonifyOptions {
  /** Same seed, pack, vector, steps and guidance give the same sound. */
  seed: number;
  /** 1 … 1000. */
  steps?: number;
  /** ≥ 0; 0 is unguided and takes half the time. */
  guidance?: number;
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
  seed: number;
  /** True when the decoder went beyond full scale, and the whole sound was turned down to a peak of 0.99. */
  limited: boolean;
}

const LIMITED_PEAK = 0.99;

/**
 * Turns a vector of the embedding space into sound: noise is denoised into frame features under the vector's guidance,
 * which the pack's decoder turns into a waveform (DESIGN §5).
 * @param z `[D]`, in the pack's embedding space (not normalised)
 * @throws PackError `not-generative` | `graph` …; RangeError on bad arguments; the signal's reason, at the next step
 */
export async function sonify(
  runtime: PackRuntime,
  z: Float32Array,
  options: SonifyOptions,
): Promise<Sonification> {
  const { manifest } = runtime.pack;
  if (!manifest.sampler)
    throw new PackError('not-generative', `the pack ${manifest.id} only makes embeddings`);
  const { seed, signal, steps = manifest.sampler.steps, guidance = manifest.sampler.guidance } = options;
  checkArguments(z, manifest, guidance);
  const levels = schedule(steps);

  const { initialNoise } = manifest.sampler;
  let x: Float32Array = new Random(seed)
    .normals(manifest.framesPerWindow * manifest.featureDim)
    .map((e) => e * initialNoise);
  for (const [index, sigma] of levels.sigmas.subarray(0, steps).entries()) {
    signal.throwIfAborted();
    const v = await velocity(runtime, x, sigma, z, guidance);
    x = step(x, v, levels, index);
    options.onStep?.(index + 1, steps);
  }
  signal.throwIfAborted();
  const decoded = await runtime.decode(x, 1);
  return { ...limit(decoded), sampleRate: manifest.sampleRate, steps, guidance, seed };
}

/** The guided v-prediction; with guidance, both branches go through the denoiser as one batch of two. */
async function velocity(
  runtime: PackRuntime,
  x: Float32Array,
  sigma: number,
  z: Float32Array,
  guidance: number,
): Promise<Float32Array> {
  if (guidance === 0) return runtime.denoise(x, Float32Array.of(sigma), z);
  const twice = new Float32Array(2 * x.length);
  twice.set(x, 0);
  twice.set(x, x.length);
  const conditions = new Float32Array(2 * z.length); // the second row stays zero: the unconditional branch
  conditions.set(z, 0);
  const v = await runtime.denoise(twice, Float32Array.of(sigma, sigma), conditions);
  return guide(v.subarray(0, x.length), v.subarray(x.length), guidance);
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
