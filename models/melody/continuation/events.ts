/** Melodies as the models of continuation see them: one voice, in steps from note to note, on a grid of durations. */
import { at } from '../../numerics/vectors.ts';
import { inOrder, type Note } from '../note.ts';

/** Lengths that a note or rest may have, in beats: straight, dotted and triplets. */
export const DURATION_BEATS = [
  1 / 8,
  1 / 6,
  1 / 4,
  1 / 3,
  3 / 8,
  1 / 2,
  2 / 3,
  3 / 4,
  1,
  4 / 3,
  3 / 2,
  2,
  8 / 3,
  3,
  4,
  6,
] as const;
export const DURATIONS = DURATION_BEATS.length;
/** In place of a pitch: nothing sounds. */
export const REST = 128;
/** MIDI note numbers and {@link REST}. */
export const PITCHES = 129;
/** Bars have four beats. */
export const BAR_BEATS = 4;
/** A pause that is shorter, in beats, belongs to the note before it. */
const LEGATO_BEATS = 0.2;
/** Notes that begin within so many beats begin together. */
const TOGETHER_BEATS = 1 / 16;

/** A note or rest of one voice. */
export interface MelodyEvent {
  /** MIDI note number, or {@link REST}. */
  pitch: number;
  /** Place in {@link DURATION_BEATS}. */
  duration: number;
  /** Where in its bar it begins, in beats, 0 ≤ beat < {@link BAR_BEATS}. */
  beat: number;
}

/** The place in {@link DURATION_BEATS} of the length that a length is nearest to, as a ratio. */
export function durationClass(beats: number): number {
  let best = 0;
  for (let i = 1; i < DURATIONS; i++)
    if (
      Math.abs(Math.log(beats / at(DURATION_BEATS, i))) < Math.abs(Math.log(beats / at(DURATION_BEATS, best)))
    )
      best = i;
  return best;
}

export function beatInBar(beats: number): number {
  const within = beats - BAR_BEATS * Math.floor(beats / BAR_BEATS);
  // What rounding left below a bar line lies on it.
  return within > BAR_BEATS - 1e-6 ? 0 : within;
}

/** The highest voice: of notes that begin together the highest, without those that begin while a higher one sounds. */
export function upperVoice(notes: readonly Note[], beatsPerMinute: number): Note[] {
  const together = (TOGETHER_BEATS * 60) / beatsPerMinute;
  const voice: Note[] = [];
  for (const note of inOrder(notes)) {
    const before = voice.at(-1);
    if (!before) {
      voice.push(note);
      continue;
    }
    const apart = note.onsetSeconds - before.onsetSeconds;
    if (apart < together) {
      if (note.midiPitch > before.midiPitch) voice[voice.length - 1] = note;
      continue;
    }
    const left = before.onsetSeconds + before.durationSeconds - note.onsetSeconds;
    if (left > together && before.midiPitch > note.midiPitch) continue;
    if (left > 0) voice[voice.length - 1] = { ...before, durationSeconds: apart };
    voice.push(note);
  }
  return voice;
}

/** The highest voice of a melody in events; pauses of {@link LEGATO_BEATS} or more are rests. Empty without notes. */
export function eventsOf(notes: readonly Note[], beatsPerMinute: number): MelodyEvent[] {
  const perSecond = beatsPerMinute / 60;
  const voice = upperVoice(notes, beatsPerMinute);
  return voice.flatMap((note, i) => {
    const onset = note.onsetSeconds * perSecond;
    const next = voice[i + 1];
    const length = note.durationSeconds * perSecond;
    const gap = next ? next.onsetSeconds * perSecond - onset - length : 0;
    const legato = gap < LEGATO_BEATS;
    const own = legato ? length + Math.max(0, gap) : length;
    const event = { pitch: note.midiPitch, duration: durationClass(own), beat: beatInBar(onset) };
    if (legato) return [event];
    return [event, { pitch: REST, duration: durationClass(gap), beat: beatInBar(onset + length) }];
  });
}
