import type { PackRuntime } from '../packs/runtime.ts';
import { cosine } from './cosine.ts';
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
 * Sonifies a vector from several noises and keeps the draw that is heard most like the vector. Sampling is a draw from
 * the sounds that fit a vector; this takes the best fitting one of a few. Draws are compared by the embedding of their
 * frame features, so only the one that is kept is decoded.
 * @param candidates 1 … 64
 * @param accept cosine of the vector and a draw's frame features at which no further one is drawn, −1…1
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
  let best: { drawn: SampledFeatures; likeness: number; candidate: number } | null = null;
  for (let candidate = 0; candidate < candidates; candidate++) {
    const drawn = await sampleFeatures(runtime, z, {
      ...rest,
      seed: seed + candidate,
      onStep: (step, steps) => onStep?.(candidate * steps + step, candidates * steps),
    });
    const likeness = candidates === 1 ? 1 : cosine(z, await heard(runtime, drawn.features));
    if (best === null || likeness > best.likeness) best = { drawn, likeness, candidate };
    if (likeness >= accept) break;
  }
  if (best === null) throw new Error('no candidate was made');
  rest.signal.throwIfAborted();
  const sound = await decodeFeatures(runtime, best.drawn);
  const embedding = await runtime.embed(sound.samples, 1);
  return { ...sound, seed, embedding, cycleCosine: cosine(z, embedding), candidate: best.candidate };
}

/** Embedding of frame features; a pack with a fused `embed` graph can only hear them as sound. */
async function heard(runtime: PackRuntime, features: Float32Array): Promise<Float32Array> {
  if (runtime.pack.manifest.graphs.embed) return runtime.embed(await runtime.decode(features, 1), 1);
  return runtime.embedFeatures(features, 1);
}
