/** A note of a melody. */
export interface Note {
  /** From the beginning of the melody, at least 0. */
  onsetSeconds: number;
  /** Above 0. */
  durationSeconds: number;
  /** MIDI note number, 0…127: 69 is A4, 440 Hz. */
  midiPitch: number;
  /** MIDI velocity, 1…127. */
  velocity: number;
}

/** What a melody may hold at most. */
export interface MelodyLimits {
  notes: number;
  /** When the last note has ended. */
  seconds: number;
}

/** Frequency of a MIDI note number in Hz, equal temperament, A4 = 440 Hz. */
export function hertzOf(midiPitch: number): number {
  return 440 * 2 ** ((midiPitch - 69) / 12);
}

/** By onset, then by pitch; the notes themselves are not copied. */
export function inOrder(notes: readonly Note[]): Note[] {
  return [...notes].sort(
    (a, b) => a.onsetSeconds - b.onsetSeconds || a.midiPitch - b.midiPitch || b.velocity - a.velocity,
  );
}

/** When the last note has ended, in seconds; 0 without notes. */
export function endOf(notes: readonly Note[]): number {
  return notes.reduce((end, note) => Math.max(end, note.onsetSeconds + note.durationSeconds), 0);
}
