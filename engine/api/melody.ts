/** Melodies: notes that a prototype's sound is played by. */
import * as z from 'zod';
import { query } from '../wire/index.ts';
import { id, inLibrary, path, seed } from './shared.ts';
import type { Started } from './shared.ts';
import { defaultSoundOrigin, soundOriginSchema } from './sonify.ts';

export const MOST_NOTES = 5000;
export const LONGEST_MELODY_SECONDS = 600;
export const SHORTEST_NOTE_SECONDS = 0.01;
export const SLOWEST_BPM = 20;
export const FASTEST_BPM = 400;
/** Ends of the names of MIDI files. */
export const midiFiles = ['mid', 'midi'];

export const noteSchema = z.strictObject({
  /** From the beginning of the melody. */
  onsetSeconds: z.number().min(0).max(LONGEST_MELODY_SECONDS),
  durationSeconds: z.number().min(0).max(LONGEST_MELODY_SECONDS),
  /** MIDI note number: 69 is A4, 440 Hz. */
  midiPitch: z.int().min(0).max(127),
  /** As in MIDI: level. */
  velocity: z.int().min(1).max(127),
});

export type Note = z.output<typeof noteSchema>;

const notes = z.array(noteSchema).min(1).max(MOST_NOTES);
/** The tempo of a file as a melody can have it: notes are in seconds, so they stay what they are. */
export function possibleTempo(beatsPerMinute: number): number {
  return Math.min(FASTEST_BPM, Math.max(SLOWEST_BPM, beatsPerMinute));
}

export const beatsPerMinuteSchema = z.number().min(SLOWEST_BPM).max(FASTEST_BPM);

/** What was made of the prototype's sound to play notes with. */
export interface MelodyInstrument {
  /** `unpitched`: no pitch was found, and notes say only when it is struck. */
  kind: 'pitched' | 'unpitched';
  /** The pitch of the sound; null for an unpitched one. */
  hertz: number | null;
  /** How periodic it is, 0…1; from 0.6 on it counts as pitched. */
  clarity: number;
  /** The part of the sound that is played. */
  startSeconds: number;
  endSeconds: number;
  /** Correlation of the places where a sustained sound repeats, −1…1; null for one that is heard once. */
  loopLikeness: number | null;
}

/** What the experiment's network hears in a melody. */
export interface MelodyClasses {
  /** Every class, the most probable first. */
  scores: { class: string; probability: number }[];
  /** The class of the prototype that plays. */
  own: { class: string; probability: number; /** From 1. */ rank: number };
  /** Probability of that class for the same notes played by a sine: what the melody alone does. */
  ownBySine: number;
}

/** A melody played on a prototype's sound. */
export interface MelodySound {
  /** The same notes on the same sound have the same. */
  id: string;
  url: string;
  durationSeconds: number;
  /** How far all of it was lowered, so that it does not clip, dB. */
  loweredDb: number;
  instrument: MelodyInstrument;
  classes: MelodyClasses;
  /** Where it was written; null where no file was asked for. */
  file: string | null;
}

/** Seconds of a track that are listened to where nothing is said. */
export const TRANSCRIBED_SECONDS = 60;

/** What is heard of a track. */
export interface HeardMelody {
  notes: Note[];
  /** On whose sixteenths or triplets notes begin; null where no steady tempo fits. */
  beatsPerMinute: number | null;
}

/** Beats a minute of a melody that has no tempo of its own. */
export const COUNTED_BPM = 120;

/** What a MIDI file says. */
export interface MidiMelody {
  notes: Note[];
  /** At its beginning. */
  beatsPerMinute: number;
  /** What was left out, a sentence each. */
  remarks: string[];
}

export const melodyMethods = {
  /**
   * Plays notes on the sound of a prototype, which is made where it is not there, and classifies what comes out; with `file`
   * also writes it as a new WAV file. The sound of the prototype is sampled; no network makes it anew.
   * @throws `bad-input` for a melody that is too long, or a file that is there already; otherwise as `sonify.start`
   */
  'melody.play': query<Started>()(
    z.strictObject({
      ...inLibrary,
      experimentId: id,
      /** Of the prototype. */
      index: z.int().min(0),
      notes,
      sound: z
        .strictObject({
          seed: seed.default(1),
          steps: z.int().min(1).max(1000).optional(),
          guidance: z.number().min(0).max(20).optional(),
          from: soundOriginSchema.default(defaultSoundOrigin),
        })
        .default({ seed: 1, from: defaultSoundOrigin }),
      file: path.optional(),
    }),
  ),
  /**
   * The notes of a part of a track, by Basic Pitch. @throws `bad-input` for a part in which no note is heard, or too many;
   * `audio` for a file that is gone or cannot be decoded
   */
  'melody.transcribe': query<Started>()(
    z.strictObject({
      ...inLibrary,
      trackId: id,
      startSeconds: z.number().min(0).max(86_400).default(0),
      seconds: z.number().min(1).max(LONGEST_MELODY_SECONDS).default(TRANSCRIBED_SECONDS),
      /** Only the strongest of the voices that sound together. */
      oneVoice: z.boolean().default(true),
    }),
  ),
  /** Reads the notes of a MIDI file. @throws `unreadable`; `bad-input` for what is no MIDI file, or holds too much */
  'melody.readMidi': query<MidiMelody>()(z.strictObject({ file: path })),
  /**
   * Writes notes to a new MIDI file; answers with its bytes. Without a tempo the file says that it has none, and beats are counted
   * as {@link COUNTED_BPM} a minute.
   * @throws `bad-input` for a file that is there already
   */
  'melody.writeMidi': query<{ bytes: number }>()(
    z.strictObject({ ...inLibrary, notes, beatsPerMinute: beatsPerMinuteSchema.nullable(), file: path }),
  ),
};
