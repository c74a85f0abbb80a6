/** Standard MIDI files in and out; the bytes are another program's, and are believed nothing. */
import { parseMidi, writeMidi, type MidiData, type MidiEvent } from 'midi-file';
import { MelodyError } from './errors.ts';
import { endOf, inOrder, type MelodyLimits, type Note } from './note.ts';
import { secondsOfTicks } from './tempo.ts';
import { counted, thereAre } from '../text/counted.ts';

/** Larger files hold more notes than a melody may have, or something else. */
export const MOST_MIDI_BYTES = 2 * 2 ** 20;
/** Channel of percussion in General MIDI, counted from 0: its numbers are instruments, not pitches. */
const PERCUSSION = 9;
const PER_BEAT = 960;
const HEADER = [0x4d, 0x54, 0x68, 0x64];
const DEFAULT_BPM = 120;
/** Texts of MIDI files are ASCII. */
const NO_TEMPO = 'No tempo: the notes were heard in a recording, and no steady tempo fits them.';

/** What a MIDI file says. */
export interface MidiMelody {
  notes: Note[];
  /** At the beginning; 120 where the file does not say. */
  beatsPerMinute: number;
  /** What was left out or mended, a sentence each. */
  remarks: string[];
}

/**
 * The bytes as the parser gets them: it asks for parts by lengths that the file says, and goes back without end where one
 * of them is negative.
 */
class Bounded extends Uint8Array {
  override slice(start = 0, end = this.length): Bounded {
    if (!(end >= start) || end > this.length) throw new RangeError('a part reaches beyond its end');
    return new Bounded(this.subarray(start, end));
  }
}

/**
 * Reads the notes of all tracks and channels but percussion (which is read where nothing else is there), with the tempo
 * map applied. Notes that never end last until the track does.
 * @throws MelodyError for what is no MIDI file, is damaged, has no notes, or more than the limits
 */
export function readMidi(bytes: Uint8Array, limits: MelodyLimits): MidiMelody {
  if (bytes.length > MOST_MIDI_BYTES)
    throw new MelodyError(
      `The file is larger than ${MOST_MIDI_BYTES / 2 ** 20} MB.`,
      'MIDI files of melodies have some kilobytes: export a shorter part.',
    );
  if (!HEADER.every((byte, i) => bytes[i] === byte))
    throw new MelodyError(
      'This is no standard MIDI file.',
      'Choose a file that ends in .mid; audio is turned into notes by “Melody of a track”.',
    );
  const data = parsed(bytes);
  const { tracks, remarks } = timed(data);
  const all = tracks.flatMap((events) => notesOf(events));
  const pitched = all.filter(({ channel }) => channel !== PERCUSSION);
  const kept = pitched.length > 0 ? pitched : all;
  if (kept.length < all.length)
    remarks.push(`Left out: ${counted(all.length - kept.length, 'note')} of percussion.`);
  if (kept.length === 0)
    throw new MelodyError('This MIDI file has no notes.', 'Choose another one, or draw notes here.');
  const notes = inOrder(kept.map(({ note }) => note));
  checkLimits(notes, limits);
  return { notes, beatsPerMinute: firstTempo(data), remarks };
}

/** @throws MelodyError for more than a melody may hold */
export function checkLimits(notes: readonly Note[], limits: MelodyLimits): void {
  if (notes.length > limits.notes)
    throw new MelodyError(
      `${thereAre(notes.length, 'note')}; a melody holds at most ${limits.notes}.`,
      'Take a part of it, or one of its tracks.',
    );
  if (endOf(notes) > limits.seconds)
    throw new MelodyError(
      `The notes last ${Math.round(endOf(notes))} s; a melody lasts at most ${limits.seconds}.`,
      'Take a part of it.',
    );
}

function parsed(bytes: Uint8Array): MidiData {
  try {
    return parseMidi(new Bounded(bytes));
  } catch (thrown) {
    throw new MelodyError(
      'This MIDI file is damaged: it cannot be read to its end.',
      'Open it in the program that made it and export it again.',
      // The parser throws texts.
      { cause: thrown },
    );
  }
}

interface TimedEvent {
  event: MidiEvent;
  seconds: number;
}

function timed({ header, tracks }: MidiData): { tracks: TimedEvent[][]; remarks: string[] } {
  const ticked = tracks.map((events) => {
    let tick = 0;
    // A variable-length number of more than four bytes may have become negative.
    return events.map((event) => ({ event, tick: (tick += Math.max(0, event.deltaTime)) }));
  });
  const seconds = secondsOfTicks(header, ticked.flat());
  return {
    tracks: ticked.map((events) => events.map(({ event, tick }) => ({ event, seconds: seconds(tick) }))),
    remarks:
      header.format === 2 ? ['Its patterns are independent of each other; they begin together here.'] : [],
  };
}

/** Of a track: a note ends with the first that ends its pitch on its channel, those begun first first. */
function notesOf(events: readonly TimedEvent[]): { note: Note; channel: number }[] {
  const notes: { note: Note; channel: number }[] = [];
  const sounding = new Map<number, { begun: { start: number; velocity: number }[]; ended: number }>();
  const end = (channel: number, pitch: number, seconds: number): void => {
    const own = sounding.get(channel * 128 + pitch);
    // Counted, not taken out: a file may begin a pitch hundreds of thousands of times.
    const begun = own?.begun[own.ended];
    if (own && begun) own.ended++;
    if (begun && seconds > begun.start)
      notes.push({
        channel,
        note: {
          onsetSeconds: begun.start,
          durationSeconds: seconds - begun.start,
          midiPitch: pitch,
          velocity: begun.velocity,
        },
      });
  };
  for (const { event, seconds } of events) {
    if (event.type !== 'noteOn' && event.type !== 'noteOff') continue;
    const { channel, noteNumber, velocity } = event;
    // A file may end inside of an event, or say a number that needs eight bits.
    if (!(noteNumber >= 0 && noteNumber <= 127)) continue;
    if (event.type === 'noteOff') end(channel, noteNumber, seconds);
    else if (velocity >= 1 && velocity <= 127) {
      const key = channel * 128 + noteNumber;
      const own = sounding.get(key);
      if (own) own.begun.push({ start: seconds, velocity });
      else sounding.set(key, { begun: [{ start: seconds, velocity }], ended: 0 });
    }
  }
  const last = events.at(-1)?.seconds ?? 0;
  for (const [key, own] of sounding)
    while (own.ended < own.begun.length) end(Math.floor(key / 128), key % 128, last);
  return notes;
}

function firstTempo({ tracks }: MidiData): number {
  for (const events of tracks) {
    let tick = 0;
    for (const event of events) {
      tick += event.deltaTime;
      if (tick > 0) break;
      if (event.type === 'setTempo' && event.microsecondsPerBeat > 0)
        return Math.max(20, Math.min(400, 60e6 / event.microsecondsPerBeat));
    }
  }
  return DEFAULT_BPM;
}

/**
 * Writes notes as a MIDI file of one track at 960 ticks a quarter note. Where a note of a pitch begins before the one before
 * it has ended, that one ends there: a MIDI channel knows no other way.
 * @param beatsPerMinute null: the notes have no tempo, which the file says in a text; it is read at the 120 that MIDI then means
 */
export function writeMidiFile(notes: readonly Note[], beatsPerMinute: number | null): Uint8Array {
  const perSecond = (PER_BEAT * (beatsPerMinute ?? DEFAULT_BPM)) / 60;
  const moments: { tick: number; order: number; event: MidiEvent }[] = [];
  const at = (tick: number, order: number, event: MidiEvent): unknown => moments.push({ tick, order, event });
  const later = new Map<number, number>();
  for (const note of inOrder(notes).reverse()) {
    const { midiPitch: noteNumber, velocity } = note;
    const start = Math.round(note.onsetSeconds * perSecond);
    const next = later.get(noteNumber) ?? Infinity;
    // Two that begin together would be one.
    if (next === start) continue;
    later.set(noteNumber, start);
    const end = Math.min(Math.round((note.onsetSeconds + note.durationSeconds) * perSecond), next);
    at(start, 1, { deltaTime: 0, type: 'noteOn', channel: 0, noteNumber, velocity });
    at(Math.max(end, start + 1), 0, { deltaTime: 0, type: 'noteOff', channel: 0, noteNumber, velocity: 0 });
  }
  // Of one moment ends come before beginnings.
  moments.sort((a, b) => a.tick - b.tick || a.order - b.order);
  let before = 0;
  const events = moments.map(({ tick, event }) => {
    const deltaTime = tick - before;
    before = tick;
    return { ...event, deltaTime };
  });
  const bytes = writeMidi({
    header: { format: 0, numTracks: 1, ticksPerBeat: PER_BEAT },
    tracks: [[tempoEvent(beatsPerMinute), ...events, { deltaTime: 0, meta: true, type: 'endOfTrack' }]],
  });
  return Uint8Array.from(bytes);
}

const tempoEvent = (beatsPerMinute: number | null): MidiEvent =>
  beatsPerMinute === null
    ? { deltaTime: 0, meta: true, type: 'text', text: NO_TEMPO }
    : {
        ...{ deltaTime: 0, meta: true, type: 'setTempo' },
        microsecondsPerBeat: Math.round(60e6 / beatsPerMinute),
      };
