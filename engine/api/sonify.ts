/** Vectors made audible. */
import * as z from 'zod';
import { query } from '../wire/index.ts';
import type { VectorRef } from './neighbours.ts';
import { vectorRefSchema } from './neighbours.ts';
import { id, inLibrary, seed, path } from './shared.ts';
import type { Started } from './shared.ts';

/** Bounds of the share of noise over a recording: below, it is the recording; above, noise. */
export const LEAST_SHARE = 0.1;
export const MOST_SHARE = 0.9;
/** Measured (docs/scoring-packs.md): of four shares the clearest pitch and the best cosine on both halves of the instruments. */
export const DEFAULT_SHARE = 0.3;

/** Which of the two ways of sounding: from noise alone, or from the nearest recording under a share of noise. */
export const soundOriginSchema = z.discriminatedUnion('origin', [
  z.strictObject({ origin: z.literal('noise') }),
  z.strictObject({
    origin: z.literal('recording'),
    /** Share of noise that the recording is given up to at first: the more, the less of it stays. */
    share: z.number().min(LEAST_SHARE).max(MOST_SHARE).default(DEFAULT_SHARE),
  }),
]);

export type SoundOrigin = z.output<typeof soundOriginSchema>;

/** How a sound is made where nothing is said: noise keeps nearest to the vector; a recording keeps its pitch. */
export const defaultSoundOrigin: SoundOrigin = { origin: 'noise' };

/** A window of a track that a sound was started from; its title and path as they were then. */
export interface SoundRecording {
  trackId: string;
  title: string;
  /** Inside the music folder. */
  path: string;
  windowIndex: number;
  startSeconds: number;
}

/** What a sound began with. */
export type SoundStart =
  { origin: 'noise' } | { origin: 'recording'; share: number; recording: SoundRecording };

export interface Sonification {
  id: string;
  url: string;
  seed: number;
  steps: number;
  guidance: number;
  from: SoundStart;
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

/** A sound that nobody waits for was made in the background. */
export interface MadeSound {
  libraryId: string;
  target: VectorRef;
  sonification: Sonification;
}

/** What a picture is made of: a sound that was made, or a window of a recording. */
const pictureOfSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('sound'), soundId: id }),
  z.strictObject({ kind: z.literal('window'), trackId: id, windowIndex: z.int().min(0) }),
]);

export type PictureOf = z.output<typeof pictureOfSchema>;

/** A mel spectrogram, for looking at. */
export interface MelPicture {
  bands: number;
  frames: number;
  /** `[frames, bands]`, low bands first, 0…1: 0 is 80 dB or more below the loudest. */
  levels: Float32Array;
  durationSeconds: number;
}

/** How sounds are made; steps and guidance default to the pack's. */
const settings = {
  seed: seed.default(1),
  steps: z.int().min(1).max(1000).optional(),
  guidance: z.number().min(0).max(20).optional(),
  from: soundOriginSchema.default(defaultSoundOrigin),
};

export const sonifyMethods = {
  /**
   * Writes a sound that was made to a new WAV file; answers with its bytes.
   * @throws `not-found`; `bad-input` for a file that is there already
   */
  'sonify.save': query<{ bytes: number }>()(z.strictObject({ ...inLibrary, soundId: id, file: path })),
  /** Sonifies vectors of the embedding space; steps and guidance default to the pack's. */
  'sonify.start': query<Started>()(
    z.strictObject({
      ...inLibrary,
      targets: z.array(vectorRefSchema).min(1).max(10_000),
      ...settings,
    }),
  ),
  /** What a sound, or a window of a recording, looks like. @throws `not-found`; `unreadable`, `audio` for a file of that kind */
  'sonify.picture': query<MelPicture>()(z.strictObject({ ...inLibrary, of: pictureOfSchema })),
  /**
   * Makes the sounds of an experiment's prototypes ahead of their being asked for, whenever nothing else is under way:
   * the strongest prototype of each class first, and of a large network no others unless `all`. A job that does so for
   * another experiment of the library, or in another way, ends. `jobId` is null where no sound is missing, or the pack makes
   * none.
   */
  'sonify.background': query<{ jobId: string | null }>()(
    z.strictObject({ ...inLibrary, experimentId: id, all: z.boolean().default(false), ...settings }),
  ),
};
