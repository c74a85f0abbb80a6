/** Vectors made audible. */
import { z } from 'zod';
import { query } from '../wire/index.ts';
import type { VectorRef } from './neighbours.ts';
import { vectorRefSchema } from './neighbours.ts';
import { seed, inLibrary } from './shared.ts';
import type { Started } from './shared.ts';

export interface Sonification {
  id: string;
  url: string;
  seed: number;
  steps: number;
  guidance: number;
  durationSeconds: number;
  /** Root-mean-square level of the sound file, dB re full scale. */
  rmsDbfs: number;
  /** How far a quiet sound was raised so that it can be heard, dB; 0 when it was left as the decoder made it. */
  gainDb: number;
  /** Cosine between the vector and the embedding of its sound, −1…1. */
  cycleCosine: number;
}

/** The first draw of a sound, told while the better ones are drawn, so that something is heard at once. */
export interface FirstSound {
  libraryId: string;
  target: VectorRef;
  /** The sound that is being made. */
  soundId: string;
  /** Not kept: its file goes some time after the sound itself is there. */
  sonification: Sonification;
}

export const sonifyMethods = {
  /** Sonifies vectors of the embedding space; steps and guidance default to the pack's. */
  'sonify.start': query<Started>()(
    z.strictObject({
      ...inLibrary,
      targets: z.array(vectorRefSchema).min(1).max(10_000),
      seed: seed.default(1),
      steps: z.int().min(1).max(1000).optional(),
      guidance: z.number().min(0).max(20).optional(),
    }),
  ),
};
