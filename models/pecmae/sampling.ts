import { Multistep } from './multistep.ts';
import { guide, schedule, step, type SamplerName } from './sampler.ts';

/** v-prediction `[B, T, F]` for `x [B, T, F]`, `sigma [B]`, `z [B, D]`; the denoiser of a pack. */
export type Denoise = (x: Float32Array, sigma: Float32Array, z: Float32Array) => Promise<Float32Array>;

/** What {@link sample} starts from and how it goes. */
export interface SamplingOptions {
  /** Where sampling starts: `[T, F]`, standard normal times the pack's `initialNoise`. */
  noise: Float32Array;
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
 * Goes from noise to frame features `[T, F]`: deterministic, one run of the denoiser a step.
 * @throws RangeError on bad steps; whatever the denoiser throws; the signal's reason, at the next step
 */
export async function sample(denoise: Denoise, options: SamplingOptions): Promise<Float32Array> {
  const { z, sampler, steps, guidance, signal, onStep } = options;
  const levels = schedule(steps, sampler);
  const multistep = sampler === 'multistep' ? new Multistep() : null;
  let x = options.noise;
  for (const [index, sigma] of levels.sigmas.subarray(0, steps).entries()) {
    signal?.throwIfAborted();
    const v = await velocity(denoise, x, sigma, z, guidance);
    x = multistep?.step(x, v, sigma, levels.sigmas[index + 1] ?? 0) ?? step(x, v, levels, index);
    onStep?.(index + 1, x);
  }
  signal?.throwIfAborted();
  return x;
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
