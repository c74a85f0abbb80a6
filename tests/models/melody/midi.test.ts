import fc from 'fast-check';
import { writeMidi, type MidiEvent } from 'midi-file';
import { describe, expect, it } from 'vitest';
import { MelodyError } from '../../../models/melody/errors.ts';
import { readMidi, writeMidiFile, MOST_MIDI_BYTES } from '../../../models/melody/midi.ts';
import type { Note } from '../../../models/melody/note.ts';

const limits = { notes: 100, seconds: 60 };
const note = (onsetSeconds: number, durationSeconds: number, midiPitch: number, velocity = 100): Note => ({
  ...{ onsetSeconds, durationSeconds, midiPitch, velocity },
});
const on = (deltaTime: number, noteNumber: number, channel = 0): MidiEvent => ({
  ...{ deltaTime, type: 'noteOn', channel, noteNumber, velocity: 90 },
});
const off = (deltaTime: number, noteNumber: number, channel = 0): MidiEvent => ({
  ...{ deltaTime, type: 'noteOff', channel, noteNumber, velocity: 0 },
});
const tempo = (deltaTime: number, microsecondsPerBeat: number): MidiEvent => ({
  ...{ deltaTime, meta: true, type: 'setTempo', microsecondsPerBeat },
});
const file = (tracks: MidiEvent[][], ticksPerBeat = 480) =>
  Uint8Array.from(writeMidi({ header: { format: 1, numTracks: tracks.length, ticksPerBeat }, tracks }));
const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));

describe('MIDI out and in again', () => {
  it('says that it has no tempo, where the notes have none, and leaves them where they are', () => {
    const bytes = writeMidiFile([note(0.3, 1, 60), note(2.7, 1, 64)], null);
    expect(Buffer.from(bytes).toString('latin1')).toContain('No tempo: the notes were heard in a recording');
    // FF 51 03 would set one.
    expect(Buffer.from(bytes).includes(Buffer.from([0xff, 0x51, 0x03]))).toBe(false);
    const { notes } = readMidi(bytes, limits);
    expect(notes.map(({ onsetSeconds }) => onsetSeconds)).toEqual([
      expect.closeTo(0.3, 3) as number,
      expect.closeTo(2.7, 3) as number,
    ]);
  });

  it('gives the notes that were written, whatever they are', () => {
    const notes = fc.uniqueArray(
      fc.record({
        onsetSeconds: fc.integer({ min: 0, max: 5000 }).map((n) => n / 100),
        durationSeconds: fc.integer({ min: 1, max: 9 }).map((n) => n / 1000),
        midiPitch: fc.integer({ min: 0, max: 127 }),
        velocity: fc.integer({ min: 1, max: 127 }),
      }),
      { selector: (n) => `${String(n.onsetSeconds)} ${String(n.midiPitch)}`, minLength: 1, maxLength: 60 },
    );
    fc.assert(
      fc.property(notes, fc.integer({ min: 40, max: 240 }), (wanted, bpm) => {
        const read = readMidi(writeMidiFile(wanted, bpm), limits);
        expect(read.beatsPerMinute).toBeCloseTo(bpm, 3);
        const sorted = [...wanted].sort(
          (a, b) => a.onsetSeconds - b.onsetSeconds || a.midiPitch - b.midiPitch,
        );
        expect(read.notes.map((n) => [n.midiPitch, n.velocity])).toEqual(
          sorted.map((n) => [n.midiPitch, n.velocity]),
        );
        read.notes.forEach((n, i) => {
          // Half a tick of 960 a quarter note at 40 beats a minute.
          expect(Math.abs(n.onsetSeconds - (sorted[i]?.onsetSeconds ?? NaN))).toBeLessThan(0.0009);
          expect(Math.abs(n.durationSeconds - (sorted[i]?.durationSeconds ?? NaN))).toBeLessThan(0.0018);
        });
      }),
      { numRuns: 40 },
    );
  });

  it('ends a note where the next one of its pitch begins', () => {
    const read = readMidi(writeMidiFile([note(0, 2, 60), note(1, 1, 60)], 120), limits);
    expect(read.notes.map((n) => [n.onsetSeconds, n.durationSeconds])).toEqual([
      [0, 1],
      [1, 1],
    ]);
  });
});

describe('MIDI of others', () => {
  it('follows a tempo map, also where it is in a track of its own', () => {
    const { notes, beatsPerMinute } = readMidi(
      file([
        [tempo(0, 500_000), tempo(480, 1_000_000)],
        [on(0, 60), off(480, 60), on(0, 62), off(480, 62)],
      ]),
      limits,
    );
    expect(beatsPerMinute).toBe(120);
    expect(notes).toEqual([note(0, 0.5, 60, 90), note(0.5, 1, 62, 90)]);
  });

  it('understands running status, velocity 0 for an end, and notes that never end', () => {
    // One status byte, then 60 on, 60 off by velocity 0, 64 on; the track ends 96 ticks (at 96 a beat) later.
    const { notes } = readMidi(
      hex(
        `4d546864 00000006 0000 0001 0060
           4d54726b 00000010 00 90 3c 40 60 3c 00 00 40 50 60 ff 2f 00 00 00`.replace('00000010', '0000000e'),
      ),
      limits,
    );
    expect(notes).toEqual([note(0, 0.5, 60, 64), note(0.5, 0.5, 64, 80)]);
  });

  it('understands frames of SMPTE in place of beats', () => {
    // −25 frames a second of 40 ticks: a tick is a millisecond.
    const { notes } = readMidi(
      hex(`4d546864 00000006 0000 0001 e728 4d54726b 0000000d 00 90 3c 40 87 68 80 3c 00 00 ff 2f 00`),
      limits,
    );
    expect(notes).toEqual([note(0, 1, 60, 64)]);
  });

  it('leaves percussion out where there is a melody, and says so', () => {
    const { notes, remarks } = readMidi(
      file([[on(0, 60), off(480, 60), on(0, 36, 9), off(9, 36, 9)]]),
      limits,
    );
    expect(notes).toHaveLength(1);
    expect(remarks).toEqual(['Left out: 1 note of percussion.']);
    expect(readMidi(file([[on(0, 36, 9), off(9, 36, 9)]]), limits).notes).toHaveLength(1);
  });

  it.each([
    ['nothing', new Uint8Array(), 'no standard MIDI file'],
    ['a WAV file', new TextEncoder().encode('RIFF....WAVEfmt '), 'no standard MIDI file'],
    ['a file cut off', writeMidiFile([note(0, 1, 60)], 120).slice(0, 30), 'damaged'],
    ['a header alone', hex('4d546864 00000006 0000 0001 0060'), 'no notes'],
    ['no time base', hex('4d546864 00000006 0000 0000 0000'), 'how long its ticks are'],
    [
      'lengths that lead backwards',
      hex('4d546864 00000006 0001 ffff 0060 4d54726b 80000000 4d54726b 00000004 00ff2f00'),
      'damaged',
    ],
    // Five bytes of a variable-length number: the parser takes it for a negative one.
    [
      'a negative length inside a track',
      hex('4d546864 00000006 0000 0001 0060 4d54726b 0000000a 00 f0 8f ff ff ff 00 00 00 00'),
      'damaged',
    ],
    ['a huge file', new Uint8Array(MOST_MIDI_BYTES + 1), 'larger than 2 MB'],
    [
      'too many notes',
      file([Array.from({ length: 101 }, () => [on(0, 60), off(9, 60)]).flat()]),
      '101 notes',
    ],
    ['an hour', file([[on(0, 60), off(960 * 3600, 60)]]), 'at most 60'],
  ])('refuses %s, and says why', (_, bytes, message) => {
    expect(() => readMidi(bytes, limits)).toThrow(MelodyError);
    expect(() => readMidi(bytes, limits)).toThrow(message);
  });

  it('counts a pitch that begins over and over in time that grows with the file', () => {
    // By running status: 300,000 beginnings of one note, which end with the track.
    const events = Buffer.concat([
      hex('009040 40'),
      Buffer.alloc(900_000, hex('00 40 40')),
      hex('60 ff 2f 00'),
    ]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(events.length);
    const bytes = Buffer.concat([hex('4d546864 00000006 0000 0001 0060 4d54726b'), length, events]);
    expect(() => readMidi(new Uint8Array(bytes), limits)).toThrow('300001 notes');
  });

  it('ends on any bytes, with notes in bounds or a refusal', () => {
    const whole = writeMidiFile([note(0, 1, 60), note(0.5, 2, 200 - 127), note(3, 1, 64)], 97);
    const damaged = fc
      .array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 12 })
      .map((changes) => {
        const bytes = Uint8Array.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        return bytes;
      });
    fc.assert(
      fc.property(damaged, (bytes) => {
        try {
          const { notes } = readMidi(bytes, limits);
          expect(notes.every((n) => n.durationSeconds > 0 && n.onsetSeconds >= 0 && n.velocity > 0)).toBe(
            true,
          );
          expect(notes.every((n) => n.onsetSeconds + n.durationSeconds <= 60)).toBe(true);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(MelodyError);
        }
      }),
      { numRuns: 400 },
    );
  });
});
