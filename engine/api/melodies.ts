/** Melodies that a library keeps, and what is learned from them: how a melody goes on. */
import * as z from 'zod';
import { query } from '../wire/index.ts';
import { beatsPerMinuteSchema, noteSchema, MOST_NOTES, type Note } from './melody.ts';
import { id, inLibrary, seed } from './shared.ts';
import type { Started } from './shared.ts';

/** Of a library. */
export const MOST_MELODIES = 2000;
export const MOST_BARS = 64;
export const defaultContinuation = { bars: 4, temperature: 0.8, seed: 1 };

export const melodySources = ['drawn', 'midi', 'track'] as const;
/** Where a melody is from: drawn by a person, a MIDI file, a track that was transcribed. */
export type MelodySource = (typeof melodySources)[number];

/** A melody that a library keeps. */
export interface KeptMelody {
  id: string;
  /** No other melody of the library has it. */
  name: string;
  source: MelodySource;
  /** Name of the file or title of the track; null for one that was drawn. */
  from: string | null;
  /** How many it has. */
  notes: number;
  seconds: number;
  /** Null for one without a tempo of its own: its beats are counted as 120 a minute. */
  beatsPerMinute: number | null;
  createdAt: string;
}

/** Nats: −log of the probability that what came was given. The lower, the better it was known. */
export interface NotesSurprise {
  /** Mean over notes and rests, of pitch and duration together. */
  perNote: number;
  ofPitch: number;
  ofDuration: number;
}

export const melodyModels = ['markov', 'lstm'] as const;
export type MelodyModelName = (typeof melodyModels)[number];

/** What was learned from the melodies of a library. */
export interface MelodyLearning {
  /** Different melodies that were learned from, and their notes and rests. */
  melodies: number;
  notes: number;
  /** Melodies that an LSTM needs. */
  needed: number;
  /** The one that continues where nothing is said: of both the one that knows the melodies better that choose. */
  better: MelodyModelName;
  /** How well melodies are known that were held out, and by which none was chosen; null with too few to hold some out. */
  figures: {
    melodies: number;
    notes: number;
    /** Other held-out melodies, by which `better` was chosen; 0 where there was no choice. */
    chosenBy: number;
    /** Every pitch and duration alike. */
    uniform: NotesSurprise;
    /** How often each is, whatever came before. */
    unigram: NotesSurprise;
    markov: NotesSurprise;
    /** Null with too few melodies. */
    lstm: NotesSurprise | null;
    /** The better one, with the notes of each melody in another order. */
    shuffled: NotesSurprise;
  } | null;
}

export interface MelodyContinuation {
  /** The new notes, behind those that were given. */
  notes: Note[];
  model: MelodyModelName;
  learning: MelodyLearning;
}

export const LONGEST_MELODY_NAME = 200;
const name = z.string().trim().min(1).max(LONGEST_MELODY_NAME);
const inMelody = { ...inLibrary, melodyId: id };
const notes = z.array(noteSchema).min(1).max(MOST_NOTES);

export const melodiesMethods = {
  /** Newest first. */
  'melodies.list': query<KeptMelody[]>()(z.strictObject(inLibrary)),
  'melodies.get': query<{ melody: KeptMelody; notes: Note[] }>()(z.strictObject(inMelody)),
  /**
   * Keeps a melody with the library. A name that is taken gets a number behind it; of a melody with the same notes that is there,
   * `known` says so, and nothing is kept twice.
   * @throws `bad-input` for more than a library keeps, or a melody that is too long
   */
  'melodies.keep': query<{ melody: KeptMelody; known: boolean }>()(
    z.strictObject({
      ...inLibrary,
      ...{ name, notes, beatsPerMinute: beatsPerMinuteSchema.nullable() },
      source: z.enum(melodySources),
      from: z.string().max(4096).nullable().default(null),
    }),
  ),
  /** @throws `bad-input` for a name that is taken */
  'melodies.rename': query<KeptMelody>()(z.strictObject({ ...inMelody, name })),
  /** Until the library is opened again, `melodies.restore` brings them back. */
  'melodies.remove': query<null>()(
    z.strictObject({ ...inLibrary, melodyIds: z.array(id).min(1).max(MOST_MELODIES) }),
  ),
  /** A name that was given to another one meanwhile gets a number behind it. */
  'melodies.restore': query<null>()(
    z.strictObject({ ...inLibrary, melodyIds: z.array(id).min(1).max(MOST_MELODIES) }),
  ),
  /** What was learned from the melodies as they are; null before. */
  'melodies.learning': query<MelodyLearning | null>()(z.strictObject(inLibrary)),
  /**
   * Continues a melody, or begins one, as the melodies of the library go; learns from them first where they are others than
   * last time.
   * @throws `bad-input` for a library that keeps none, an LSTM of too few, or a melody that becomes too long
   */
  'melodies.continue': query<Started>()(
    z.strictObject({
      ...inLibrary,
      notes: z.array(noteSchema).max(MOST_NOTES),
      beatsPerMinute: beatsPerMinuteSchema,
      /** Of four beats. */
      bars: z.int().min(1).max(MOST_BARS).default(defaultContinuation.bars),
      /** 0: always what is most probable; 1: as probable as it is; above: more surprising. */
      temperature: z.number().min(0).max(2).default(defaultContinuation.temperature),
      seed: seed.default(defaultContinuation.seed),
      model: z.enum(['better', ...melodyModels]).default('better'),
    }),
  ),
};
