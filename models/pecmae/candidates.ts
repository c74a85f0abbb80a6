import type { PackRuntime } from '../packs/runtime.ts';
import { cosine } from '../numerics/distances.ts';
import {
  decodeFeatures,
  sampleFeatures,
  type SampledFeatures,
  type Sonification,
  type SonifyOptions,
} from './sonify.ts';

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
 * Draws that are decoded. Decoding shifts what is heard in a draw, so the likest frame features need not give the
 * likest sound (the cosines before and after correlate with 0.5 on the compact pack), but it costs as much as eight draws.
 */
const FINALISTS = 2;

/**
 * Sonifies a vector from several noises and keeps the sound that is heard most like the vector. Sampling is a draw from
 * the sounds that fit a vector; this takes the best fitting one of a few. Draws are compared by the embedding of their
 * frame features; only the two best of them are decoded, and compared as sound.
 * @param candidates 1 … 64
 * @param accept cosine of the vector and what is heard at which nothing further is drawn or decoded, −1…1
 * @throws as `sonify`
 */
export async function sonifyBest(
  runtime: PackRuntime,
  z: Float32Array,
  options: SonifyOptions & { candidates: number; accept: number },
): Promise<CheckedSonification> {
  const { candidates, accept, seed, onStep, ...rest } = options;
  if (!Number.isInteger(candidates) || candidates < 1 || candidates > 64)
    throw new RangeError(`${candidates} candidates are not 1 to 64`);
  const draws: { features: SampledFeatures; candidate: number; likeness: number }[] = [];
  for (let candidate = 0; candidate < candidates; candidate++) {
    const features = await sampleFeatures(runtime, z, {
      ...rest,
      seed: seed + candidate,
      onStep: (step, steps) => onStep?.(candidate * steps + step, candidates * steps),
    });
    const likeness = candidates === 1 ? 1 : cosine(z, await heard(runtime, features.features));
    draws.push({ features, candidate, likeness });
    if (likeness >= accept) break;
  }
  let best: CheckedSonification | null = null;
  for (const { features, candidate } of draws.sort((a, b) => b.likeness - a.likeness).slice(0, FINALISTS)) {
    rest.signal.throwIfAborted();
    const sound = await decodeFeatures(runtime, features);
    const embedding = await runtime.embed(sound.samples, 1);
    const cycleCosine = cosine(z, embedding);
    if (best === null || cycleCosine > best.cycleCosine)
      best = { ...sound, seed, embedding, cycleCosine, candidate };
    if (cycleCosine >= accept) break;
  }
  if (best === null) throw new Error('no candidate was made');
  return best;
}

/** Embedding of frame features; a pack with a fused `embed` graph can only hear them as sound. */
async function heard(runtime: PackRuntime, features: Float32Array): Promise<Float32Array> {
  if (runtime.pack.manifest.graphs.embed) return runtime.embed(await runtime.decode(features, 1), 1);
  return runtime.embedFeatures(features, 1);
}
