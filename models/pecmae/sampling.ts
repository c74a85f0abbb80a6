import { Multistep } from './multistep.ts';
import { guide, mix, schedule, step, type SamplerName, type Schedule } from './sampler.ts';

/** v-prediction `[B, T, F]` for `x [B, T, F]`, `sigma [B]`, `z [B, D]`; the denoiser of a pack. */
export type Denoise = (x: Float32Array, sigma: Float32Array, z: Float32Array) => Promise<Float32Array>;

/**
 * Frame features that sampling starts from, and how much of them is given up to noise at first. After SDEdit (Meng et
 * al. 2022, §3.2): noise a real signal x to the level σ of a share, x_σ = cos(πσ/2)·x + sin(πσ/2)·ε, and denoise from
 * there. What is coarser than the noise (pitch, onsets, length) stays the recording's; the rest is drawn anew under the
 * condition. With a share of 1 nothing of x is left: the plain way from noise.
 */
export interface Beginning {
  /** `[T, F]`, as the pack's `features` graph gives them. */
  features: Float32Array;
  /** σ to start at, above 0 and at most 1. */
  share: number;
}

/** What {@link sample} starts from and how it goes. */
export interface SamplingOptions {
  /** `[T, F]`, standard normal times the pack's `initialNoise`: where sampling starts, or what `from` is mixed with. */
  noise: Float32Array;
  /** Start from frame features instead of from pure noise. */
  from?: Beginning | undefined;
  /** The condition, `[D]`. */
  z: Float32Array;
  sampler: SamplerName;
  steps: number;
  /** ≥ 0; 0 is unguided and takes half the time. */
  guidance: number;
  signal?: AbortSignal | undefined;
  /** Called after each step with the number of steps done and where sampling is. */
  onStep?: ((step: number, x: Float32Array) => void) | undefined;
}

/**
 * Goes from noise, or from noised features, to frame features `[T, F]`: deterministic, one run of the denoiser a step.
 * @throws RangeError on bad steps, or features to start from that have another size; whatever the denoiser throws; the signal's reason, at the next step
 */
export async function sample(denoise: Denoise, options: SamplingOptions): Promise<Float32Array> {
  const { z, sampler, steps, guidance, signal, onStep, from } = options;
  const levels = schedule(steps, sampler, from?.share);
  const multistep = sampler === 'multistep' ? new Multistep() : null;
  let x = from ? noised(from, options.noise, levels) : options.noise;
  for (const [index, sigma] of levels.sigmas.subarray(0, -1).entries()) {
    signal?.throwIfAborted();
    const v = await velocity(denoise, x, sigma, z, guidance);
    x = multistep?.step(x, v, sigma, levels.sigmas[index + 1] ?? 0) ?? step(x, v, levels, index);
    onStep?.(index + 1, x);
  }
  signal?.throwIfAborted();
  return x;
}

function noised({ features }: Beginning, noise: Float32Array, { alphas, betas }: Schedule): Float32Array {
  if (features.length !== noise.length)
    throw new RangeError(`${features.length} frame features to start from are not ${noise.length}`);
  return mix(features, noise, alphas[0] ?? 0, betas[0] ?? 1);
}

/** The guided v-prediction; with guidance, both branches go through the denoiser as one batch of two. */
async function velocity(
  denoise: Denoise,
  x: Float32Array,
  sigma: number,
  z: Float32Array,
  guidance: number,
): Promise<Float32Array> {
  if (guidance === 0) return denoise(x, Float32Array.of(sigma), z);
  const twice = new Float32Array(2 * x.length);
  twice.set(x, 0);
  twice.set(x, x.length);
  const conditions = new Float32Array(2 * z.length); // the second row stays zero: the unconditional branch
  conditions.set(z, 0);
  const v = await denoise(twice, Float32Array.of(sigma, sigma), conditions);
  return guide(v.subarray(0, x.length), v.subarray(x.length), guidance);
}
