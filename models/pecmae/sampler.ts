/**
 * Arithmetic of the diffusion sampler: v-prediction, deterministic (DDIM) steps along a cosine schedule, with
 * classifier-free guidance. After Salimans & Ho 2022 ("Progressive distillation", v-prediction), Song et al. 2021
 * (DDIM) and Ho & Salimans 2022 (guidance), as used by EnCodecMAE's diffusion decoder. Pure functions on float32.
 */

/** Noise levels of a sampling run, from where it starts to pure signal; all arrays have one entry more than there are steps. */
export interface Schedule {
  /** σ: from 1 (pure noise), or the share of noise that sampling starts at, down to 0. */
  sigmas: Float32Array;
  /** cos(πσ/2): the share of signal. */
  alphas: Float32Array;
  /** sin(πσ/2): the share of noise. */
  betas: Float32Array;
}

/**
 * Ways from noise to signal: `ddim` keeps the model's view of signal and noise for the length of a step, as the reference
 * does; `multistep` lets both drift as they drifted in the step before, which takes far fewer steps to the same sound.
 */
export const samplerNames = ['ddim', 'multistep'] as const;
/** How sampling goes from noise to signal. */
export type SamplerName = (typeof samplerNames)[number];

/** The logistic curve of multistep's levels is cut off at this share from pure noise … */
const NOISE_END = 0.02;
/** … and at this one from pure signal. */
const SIGNAL_END = 0.05;

/**
 * Noise levels in equal steps of σ for `ddim`. For `multistep` they lie on a logistic curve, closer at both ends, where the
 * model's view changes fastest (measured on the compact pack: by about 0.1/(1 − σ) and 0.1/σ).
 * Computed in float32, as the reference does: cos(π/2) is −4.4e−8 and not 0.
 * @param steps of the way from pure noise
 * @param from the share of noise to start at, above 0 and at most 1: its own level, then those of the whole way below it
 */
export function schedule(steps: number, sampler: SamplerName = 'ddim', from = 1): Schedule {
  if (!Number.isInteger(steps) || steps < 1) throw new RangeError(`steps ${steps} is not a positive integer`);
  if (!(from > 0 && from <= 1)) throw new RangeError(`${from} is no share of noise to start at`);
  const level = sampler === 'ddim' ? (u: number) => u : logistic;
  const whole = Float32Array.from({ length: steps + 1 }, (_, i) => level(1 - i / steps));
  const start = Math.fround(from);
  const sigmas = Float32Array.from([start, ...whole.filter((sigma) => sigma < start)]);
  const angles = sigmas.map((sigma) => (sigma * Math.fround(Math.PI)) / 2);
  return { sigmas, alphas: angles.map(Math.cos), betas: angles.map(Math.sin) };
}

/** 0…1 → 0…1, steepest in the middle. */
function logistic(u: number): number {
  if (u === 0 || u === 1) return u;
  const [low, high] = [logit(SIGNAL_END), logit(1 - NOISE_END)];
  const y = 1 / (1 + Math.exp(-(low + u * (high - low))));
  return (y - SIGNAL_END) / (1 - SIGNAL_END - NOISE_END);
}

function logit(share: number): number {
  return Math.log(share / (1 - share));
}

/** Guided velocity `v_c + g·(v_c − v_u)`: g = 0 is the plain conditional model, g = 1 doubles the condition's pull. */
export function guide(
  conditional: Float32Array,
  unconditional: Float32Array,
  guidance: number,
): Float32Array {
  return conditional.map((v, i) => v + guidance * (v - (unconditional[i] ?? 0)));
}

/** The model's view of the clean signal and of the noise: `x̂ = αx − βv`, `ε̂ = βx + αv`. */
export function predict(
  x: Float32Array,
  v: Float32Array,
  alpha: number,
  beta: number,
): { signal: Float32Array; noise: Float32Array } {
  return {
    signal: x.map((value, i) => alpha * value - beta * (v[i] ?? 0)),
    noise: x.map((value, i) => beta * value + alpha * (v[i] ?? 0)),
  };
}

/** The next, less noisy point `α'x̂ + β'ε̂`. */
export function mix(signal: Float32Array, noise: Float32Array, alpha: number, beta: number): Float32Array {
  return signal.map((value, i) => alpha * value + beta * (noise[i] ?? 0));
}

/** One sampling step, from noise level `index` of the schedule to the next. */
export function step(x: Float32Array, v: Float32Array, levels: Schedule, index: number): Float32Array {
  const at = (values: Float32Array, i: number): number => {
    const value = values[i];
    if (value === undefined) throw new RangeError(`step ${index} is not in the schedule`);
    return value;
  };
  const { signal, noise } = predict(x, v, at(levels.alphas, index), at(levels.betas, index));
  return mix(signal, noise, at(levels.alphas, index + 1), at(levels.betas, index + 1));
}
