import type { PackRuntime } from '../packs/runtime.ts';
import { cosine } from '../numerics/distances.ts';
import { joined, lockstep } from './lockstep.ts';
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
 * likest sound (the cosines before and after correlate with 0.5 on the compact pack).
 */
const FINALISTS = 2;
/**
 * Draws that go through the denoiser together. The first goes alone: whoever waits can hear it meanwhile. Always the same
 * groups, since a batch may round otherwise than its parts.
 */
const DRAWS_TOGETHER = 4;

/**
 * Sonifies a vector from several noises and keeps the sound that is heard most like the vector. Sampling is a draw from
 * the sounds that fit a vector; this takes the best fitting one of a few. Draws are compared by the embedding of their
 * frame features; only the two best of them are decoded, and compared as sound.
 * @param candidates 1 … 64
 * @param accept cosine of the vector and what is heard at which nothing further is drawn or decoded, −1…1
 * @throws as `sampleFeatures`
 */
export async function sonifyBest(
  runtime: PackRuntime,
  z: Float32Array,
  options: SonifyOptions & {
    candidates: number;
    accept: number;
    /** Given the first draw as sound while the others are drawn; not called when nothing else is. */
    onFirst?: (sound: CheckedSonification) => void;
  },
): Promise<CheckedSonification> {
  const { candidates, accept, seed, onStep, onFirst, ...rest } = options;
  if (!Number.isInteger(candidates) || candidates < 1 || candidates > 64)
    throw new RangeError(`${candidates} candidates are not 1 to 64`);
  const draws: Draw[] = [];
  while (draws.length < candidates) {
    const first = draws.length;
    const count = first === 0 ? 1 : Math.min(DRAWS_TOGETHER, candidates - first);
    const denoise = lockstep((x, sigma, c) => runtime.denoise(x, sigma, c), count);
    const features = await Promise.all(
      Array.from({ length: count }, (_, i) => {
        const settings = {
          ...rest,
          seed: seed + first + i,
          onStep: (step: number, steps: number) => {
            if (i === count - 1) onStep?.(first * steps + step * count, candidates * steps);
          },
        };
        return sampleFeatures(runtime, z, settings, denoise);
      }),
    );
    const likeness = candidates === 1 ? [1] : await heard(runtime, z, features);
    for (const [i, drawn] of features.entries())
      draws.push({ features: drawn, candidate: first + i, likeness: likeness[i] ?? -1 });
    if (Math.max(...likeness) >= accept) break;
    if (first === 0 && onFirst && candidates > 1) {
      const [draw] = draws;
      if (draw) onFirst(await decoded(runtime, z, draw, seed));
    }
  }
  let best: CheckedSonification | null = null;
  for (const draw of draws.sort((a, b) => b.likeness - a.likeness).slice(0, FINALISTS)) {
    rest.signal.throwIfAborted();
    const sound = await decoded(runtime, z, draw, seed);
    if (best === null || sound.cycleCosine > best.cycleCosine) best = sound;
    if (sound.cycleCosine >= accept) break;
  }
  if (best === null) throw new Error('no candidate was made');
  return best;
}

interface Draw {
  features: SampledFeatures;
  candidate: number;
  /** Cosine of the vector and what the encoder hears in the frame features. */
  likeness: number;
}

async function decoded(
  runtime: PackRuntime,
  z: Float32Array,
  { features, candidate }: Draw,
  seed: number,
): Promise<CheckedSonification> {
  const sound = await decodeFeatures(runtime, features);
  const embedding = await runtime.embed(sound.samples, 1);
  return { ...sound, seed, embedding, cycleCosine: cosine(z, embedding), candidate };
}

/** How like `z` the draws are; a pack with a fused `embed` graph can only hear them as sound. */
async function heard(
  runtime: PackRuntime,
  z: Float32Array,
  draws: readonly SampledFeatures[],
): Promise<number[]> {
  const features = joined(draws.map((draw) => draw.features));
  const embeddings = runtime.pack.manifest.graphs.embed
    ? await runtime.embed(await runtime.decode(features, draws.length), draws.length)
    : await runtime.embedFeatures(features, draws.length);
  return draws.map((_, i) => cosine(z, embeddings.subarray(i * z.length, (i + 1) * z.length)));
}
