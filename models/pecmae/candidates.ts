import type { PackRuntime } from '../packs/runtime.ts';
import { cosine } from './cosine.ts';
import { sonify, type Sonification, type SonifyOptions } from './sonify.ts';

/** A sonification with what the encoder hears in it. */
export interface CheckedSonification extends Sonification {
  /** Embedding `[D]` of the sound. */
  embedding: Float32Array;
  /** Cosine of the vector that was asked for and that embedding, −1…1. */
  cycleCosine: number;
  /** Which of the candidates this is, from 0; its noise comes from `seed + candidate`. */
  candidate: number;
}

/**
 * Sonifies a vector from several noises and keeps the sound whose own embedding lies nearest to the vector by cosine.
 * Sampling is a draw from the sounds that fit a vector; this takes the best fitting one of a few.
 * @param candidates 1 … 64; each costs a whole sonification
 * @param accept cosine at which a candidate is taken without drawing further ones, −1…1
 * @throws as {@link sonify}
 */
export async function sonifyBest(
  runtime: PackRuntime,
  z: Float32Array,
  options: SonifyOptions & { candidates: number; accept: number },
): Promise<CheckedSonification> {
  const { candidates, accept, seed, onStep, ...rest } = options;
  if (!Number.isInteger(candidates) || candidates < 1 || candidates > 64)
    throw new RangeError(`${candidates} candidates are not 1 to 64`);
  let best: CheckedSonification | null = null;
  for (let candidate = 0; candidate < candidates; candidate++) {
    const sound = await sonify(runtime, z, {
      ...rest,
      seed: seed + candidate,
      onStep: (step, steps) => onStep?.(candidate * steps + step, candidates * steps),
    });
    const embedding = await runtime.embed(sound.samples, 1);
    const cycleCosine = cosine(z, embedding);
    if (best === null || cycleCosine > best.cycleCosine)
      best = { ...sound, seed, embedding, cycleCosine, candidate };
    if (cycleCosine >= accept) break;
  }
  if (best === null) throw new Error('no candidate was made');
  return best;
}
