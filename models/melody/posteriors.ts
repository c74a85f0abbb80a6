/** Notes from what a network says of each frame: note creation as in Basic Pitch (Bittner and others, arXiv 2203.09893, 2.4). */
import type { Note } from './note.ts';

/** Pitches of a frame: the keys of a piano. */
export const PITCHES = 88;
export const LOWEST_PITCH = 21;

/** For each frame and pitch, that it sounds and that it begins: `[frames, 88]`, 0…1. */
export interface Posteriors {
  notes: Float32Array;
  onsets: Float32Array;
  /** Of each frame. */
  seconds: Float64Array;
}

export interface NoteSettings {
  /** From which on a beginning is one. */
  onset: number;
  /** From which on a frame sounds. */
  sounding: number;
  /** Frames that a note has more than. */
  leastFrames: number;
  /** Frames in a row that may fall below {@link sounding} before a note has ended. */
  gapFrames: number;
}

/** As the published package has them. */
export const noteDefaults: NoteSettings = { onset: 0.5, sounding: 0.3, leastFrames: 5, gapFrames: 11 };

interface Spell {
  from: number;
  to: number;
  pitch: number;
  strength: number;
}

/**
 * Notes from onsets first, the latest first, so that one ends where the next of its pitch begins; then from what still sounds
 * without an onset, the strongest first.
 */
export function notesOf(posteriors: Posteriors, settings: NoteSettings = noteDefaults): Note[] {
  const { notes, seconds } = posteriors;
  const frames = seconds.length;
  const onsets = strengthened(posteriors, frames);
  const left = Float32Array.from(notes);
  const spells: Spell[] = [];
  const strengthOf = (from: number, to: number, pitch: number): number => {
    let sum = 0;
    for (let t = from; t < to; t++) sum += notes[t * PITCHES + pitch] ?? 0;
    return sum / (to - from);
  };
  const take = (from: number, to: number, pitch: number): void => {
    if (to - from <= settings.leastFrames) return;
    spells.push({ from, to, pitch, strength: strengthOf(from, to, pitch) });
  };
  for (let t = frames - 2; t >= 0; t--)
    for (let pitch = PITCHES - 1; pitch >= 0; pitch--) {
      if (!isPeak(onsets, t, pitch, frames) || (onsets[t * PITCHES + pitch] ?? 0) <= settings.onset) continue;
      const to = follow(left, t, pitch, 1, frames, settings);
      if (to - t <= settings.leastFrames) continue;
      for (let at = t; at < to; at++) silence(left, at, pitch);
      take(t, to, pitch);
    }
  for (const best of strongestFirst(left, settings.sounding)) {
    // A note that was found meanwhile took it.
    if (left[best] === 0) continue;
    const [middle, pitch] = [Math.floor(best / PITCHES), best % PITCHES];
    const to = follow(left, middle, pitch, 1, frames, settings);
    const from = follow(left, middle, pitch, -1, frames, settings) + 1;
    for (let at = from; at < Math.max(to, middle + 1); at++) silence(left, at, pitch);
    take(from, to, pitch);
  }
  const hop = frames > 1 ? (seconds[1] ?? 0) - (seconds[0] ?? 0) : 0;
  const at = (frame: number): number => seconds[frame] ?? (seconds[frames - 1] ?? 0) + hop;
  return spells
    .map(({ from, to, pitch, strength }) => ({
      onsetSeconds: Math.max(0, at(from)),
      durationSeconds: at(to) - at(from),
      midiPitch: LOWEST_PITCH + pitch,
      velocity: Math.max(1, Math.min(127, Math.round(127 * strength))),
    }))
    .sort((a, b) => a.onsetSeconds - b.onsetSeconds || a.midiPitch - b.midiPitch);
}

/** Onsets, and sudden rises of what sounds, on the same scale: a beginning that the network missed still is one. */
function strengthened({ notes, onsets }: Posteriors, frames: number): Float32Array {
  const rises = new Float32Array(notes.length);
  let [mostOnset, mostRise] = [0, 0];
  for (let i = 0; i < notes.length; i++) {
    mostOnset = Math.max(mostOnset, onsets[i] ?? 0);
    const t = Math.floor(i / PITCHES);
    if (t < 2 || t >= frames) continue;
    const here = notes[i] ?? 0;
    const rise = Math.min(here - (notes[i - PITCHES] ?? 0), here - (notes[i - 2 * PITCHES] ?? 0));
    rises[i] = Math.max(0, rise);
    mostRise = Math.max(mostRise, rise);
  }
  const scale = mostRise > 0 ? mostOnset / mostRise : 0;
  return rises.map((rise, i) => Math.max(onsets[i] ?? 0, rise * scale));
}

/** Places of what lies above a threshold; of equal ones the first first. */
function strongestFirst(values: Float32Array, threshold: number): number[] {
  const places: number[] = [];
  for (let i = 0; i < values.length; i++) if ((values[i] ?? 0) > threshold) places.push(i);
  return places.sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b);
}

function isPeak(values: Float32Array, t: number, pitch: number, frames: number): boolean {
  const here = values[t * PITCHES + pitch] ?? 0;
  const before = t > 0 ? (values[(t - 1) * PITCHES + pitch] ?? 0) : -1;
  const after = t + 1 < frames ? (values[(t + 1) * PITCHES + pitch] ?? 0) : -1;
  return here > before && here > after;
}

/** From a frame on, or back, to the first that does not belong to the note: a gap at its end is not counted. */
function follow(
  left: Float32Array,
  from: number,
  pitch: number,
  step: 1 | -1,
  frames: number,
  { sounding, gapFrames }: NoteSettings,
): number {
  let [at, gap] = [from + step, 0];
  while (at >= 0 && at < frames && gap < gapFrames) {
    gap = (left[at * PITCHES + pitch] ?? 0) < sounding ? gap + 1 : 0;
    at += step;
  }
  return at - step * gap;
}

/** A note also shows in its neighbours, which are none. */
function silence(left: Float32Array, frame: number, pitch: number): void {
  for (const near of [pitch - 1, pitch, pitch + 1])
    if (near >= 0 && near < PITCHES) left[frame * PITCHES + near] = 0;
}

/** What of a note may overlap with a stronger one that is kept. */
const MOST_OVERLAP = 0.3;

/**
 * The one voice of many that is strongest: notes that mostly sound together with a stronger and longer one go, and what is
 * left ends where the next begins.
 */
export function oneVoice(notes: readonly Note[]): Note[] {
  const worth = (note: Note): number => note.velocity * Math.sqrt(note.durationSeconds);
  const kept: Note[] = [];
  for (const note of [...notes].sort((a, b) => worth(b) - worth(a))) {
    const end = note.onsetSeconds + note.durationSeconds;
    const overlap = kept.reduce((sum, other) => {
      const from = Math.max(note.onsetSeconds, other.onsetSeconds);
      const to = Math.min(end, other.onsetSeconds + other.durationSeconds);
      return sum + Math.max(0, to - from);
    }, 0);
    if (overlap <= MOST_OVERLAP * note.durationSeconds) kept.push(note);
  }
  kept.sort((a, b) => a.onsetSeconds - b.onsetSeconds);
  return kept.flatMap((note, i) => {
    const next = kept[i + 1]?.onsetSeconds ?? Infinity;
    const durationSeconds = Math.min(note.durationSeconds, next - note.onsetSeconds);
    return durationSeconds > 0 ? [{ ...note, durationSeconds }] : [];
  });
}
