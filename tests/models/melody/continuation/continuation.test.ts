import { beforeAll, describe, expect, it } from 'vitest';
import { continueMelody } from '../../../../models/melody/continuation/continue.ts';
import {
  DURATION_BEATS,
  eventsOf,
  REST,
  upperVoice,
  type MelodyEvent,
} from '../../../../models/melody/continuation/events.ts';
import { different, learnMelodies } from '../../../../models/melody/continuation/learn.ts';
import { markovModel, uniformModel } from '../../../../models/melody/continuation/markov.ts';
import { surpriseAt, type MelodyModel } from '../../../../models/melody/continuation/model.ts';
import type { Note } from '../../../../models/melody/note.ts';
import { madeUpMelody } from '../../../support/made-up-melodies.ts';

/** A note in beats at 60 beats a minute. */
const note = (onsetSeconds: number, durationSeconds: number, midiPitch: number, velocity = 90): Note => ({
  ...{ onsetSeconds, durationSeconds, midiPitch, velocity },
});
const events = (seed: number): MelodyEvent[] => eventsOf(madeUpMelody(seed), 120);
const several = (from: number, count: number): MelodyEvent[][] =>
  Array.from({ length: count }, (_, i) => events(from + i));
const beatsOf = ({ duration }: MelodyEvent): number => DURATION_BEATS[duration] ?? NaN;
const plain = (melody: readonly MelodyEvent[]): (number | null)[][] =>
  melody.map((event) => [event.pitch === REST ? null : event.pitch, beatsOf(event), event.beat]);

describe('events of a melody', () => {
  it('are its notes and the rests between them, on a grid, with their place in the bar', () => {
    const melody = [
      note(0, 1, 60),
      note(1, 0.45, 62),
      note(1.5, 0.5, 64),
      note(3, 1 / 3, 65),
      note(5, 2.1, 67),
    ];
    expect(plain(eventsOf(melody, 60))).toEqual([
      [60, 1, 0],
      // A pause of a twentieth belongs to the note.
      [62, 0.5, 1],
      [64, 0.5, 1.5],
      [null, 1, 2],
      [65, 1 / 3, 3],
      [null, 3 / 2, 3 + 1 / 3],
      [67, 2, 1],
    ]);
    expect(eventsOf([], 60)).toEqual([]);
    expect(plain(eventsOf([note(0.5, 1, 60)], 120))).toEqual([[60, 2, 1]]);
  });

  it('are those of the highest voice', () => {
    const chords = [note(0, 2, 48), note(0, 1, 64), note(0.01, 1, 67), note(1, 1, 72), note(1.5, 0.2, 50)];
    expect(upperVoice(chords, 60).map(({ midiPitch }) => midiPitch)).toEqual([67, 72]);
    // What is below goes on sounding under what is above, and ends where that begins.
    expect(upperVoice([note(0, 3, 48), note(1, 1, 60)], 60)).toEqual([note(0, 1, 48), note(1, 1, 60)]);
  });
});

async function sums(model: MelodyModel, melody: readonly MelodyEvent[]): Promise<number[]> {
  const walk = model.begin();
  const found: number[] = [];
  for (const event of melody) {
    const { pitches, durations } = await walk.next(event.beat);
    found.push(pitches.reduce((a, b) => a + b, 0));
    for (const pitch of [event.pitch, REST]) found.push(durations(pitch).reduce((a, b) => a + b, 0));
    expect(Math.min(...pitches)).toBeGreaterThan(0);
    walk.take(event);
  }
  return found;
}

describe('a Markov chain', () => {
  it('gives probabilities, also far outside of what it learned', async () => {
    const model = await markovModel(several(1, 3));
    const odd: MelodyEvent[] = [0, REST, 127, 127, REST, 1].map((pitch, i) => ({
      pitch,
      duration: i,
      beat: 0,
    }));
    for (const sum of [...(await sums(model, events(9))), ...(await sums(model, odd))])
      expect(sum).toBeCloseTo(1, 10);
  });

  it('weighs what followed as Witten and Bell do', async () => {
    // a b a c: after “a” came b and c, once each.
    const [a, b, c] = [60, 62, 64];
    const melody = [a, b, a, c].map((pitch) => ({ pitch, duration: 8, beat: 0 }));
    const walk = (await markovModel([melody], { order: 1 })).begin();
    await walk.next(0);
    walk.take({ pitch: a, duration: 8, beat: 0 });
    const { pitches } = await walk.next(0);
    const unigram = (1 + 3 / 129) / 7;
    // By intervals: from “a” and from every other pitch it went +2, −2, +4, once each.
    expect(pitches[b]).toBeCloseTo((1 + 3 * unigram) / 6, 10);
  });

  it('knows a melody in another key, and is beaten by the unigram only where order tells nothing', async () => {
    const up = events(5).map((event) => ({ ...event, pitch: event.pitch === REST ? REST : event.pitch + 5 }));
    const model = await markovModel([events(5)]);
    // The first three notes are not yet told by what came before.
    const own = await surpriseAt(model, [events(5)]);
    const other = await surpriseAt(model, [up]);
    expect(other.perNote).toBeLessThan(own.perNote + 0.6);
    const unigram = await surpriseAt(await markovModel([events(5)], { order: 0 }), [up]);
    expect(other.perNote).toBeLessThan(unigram.perNote / 2);
    const uniform = await surpriseAt(uniformModel(), [up]);
    expect(uniform.perNote).toBeCloseTo(Math.log(129 * 16), 10);
    expect(uniform.ofPitch + uniform.ofDuration).toBeCloseTo(uniform.perNote, 10);
  });
});

describe('a continuation', () => {
  const settings = { beatsPerMinute: 120, bars: 4, temperature: 1, seed: 3 };
  let model: MelodyModel;
  beforeAll(async () => {
    model = await markovModel(several(1, 12));
  });
  const melody = madeUpMelody(50);

  it('begins where the melody ends, fills whole bars, and is the same for the same seed', async () => {
    const added = await continueMelody(model, melody, settings);
    const end = Math.max(...melody.map((own) => own.onsetSeconds + own.durationSeconds));
    const first = Math.min(...added.map(({ onsetSeconds }) => onsetSeconds));
    expect(first).toBeGreaterThanOrEqual(end - 1e-9);
    const last = added.at(-1);
    const start = Math.ceil(end * 8 - 0.1) / 8;
    expect((last?.onsetSeconds ?? 0) + (last?.durationSeconds ?? 0)).toBeLessThanOrEqual(start + 8 + 1e-6);
    expect(added.length).toBeGreaterThan(4);
    expect(added.every(({ velocity }) => velocity === 90)).toBe(true);
    expect(await continueMelody(model, melody, settings)).toEqual(added);
    expect(await continueMelody(model, melody, { ...settings, seed: 4 })).not.toEqual(added);
  });

  it('counts the pause from where its own voice ended, whatever sounds on below', async () => {
    const taken: MelodyEvent[] = [];
    const listening: MelodyModel = {
      begin: () => {
        const walk = model.begin();
        return {
          next: walk.next,
          take: (event) => {
            taken.push(event);
            walk.take(event);
          },
        };
      },
    };
    const below = { ...settings, beatsPerMinute: 60 };
    await continueMelody(listening, [note(0, 4, 48), note(0, 1, 72)], below);
    expect(plain(taken.slice(0, 2))).toEqual([
      [72, 1, 0],
      [null, 3, 1],
    ]);
  });

  it('goes on from nothing and from one note', async () => {
    const begun = await continueMelody(model, [], settings);
    expect(begun[0]?.onsetSeconds).toBeLessThan(2);
    const one = await continueMelody(model, [note(0, 0.5, 60)], settings);
    expect(one.length).toBeGreaterThan(0);
    expect(one.every(({ midiPitch }) => midiPitch >= 0 && midiPitch <= 127)).toBe(true);
  });

  it('stops when it is asked to, and says so where there is only a pause', async () => {
    await expect(
      continueMelody(model, melody, settings, AbortSignal.abort(new Error('enough'))),
    ).rejects.toThrow('enough');
    const silent = await markovModel([[{ pitch: REST, duration: 15, beat: 0 }]]);
    await expect(continueMelody(silent, [], { ...settings, temperature: 0 })).rejects.toThrow('pause only');
  });
});

describe('learning from melodies', () => {
  it('counts a melody once, in whatever key', () => {
    const up = events(5).map((event) => ({ ...event, pitch: event.pitch === REST ? REST : event.pitch + 5 }));
    expect(different([events(5), up, events(6), []])).toHaveLength(2);
  });

  it('needs some', async () => {
    await expect(learnMelodies([])).rejects.toThrow(RangeError);
    expect(await learnMelodies(several(1, 2))).toMatchObject({ figures: null, better: 'markov', lstm: null });
    const few = await learnMelodies(several(1, 5));
    expect(few).toMatchObject({ melodies: 5, better: 'markov', lstm: null });
    expect(few.figures?.lstm).toBeNull();
    expect(few.figures).toMatchObject({ melodies: 1, chosenBy: 0 });
    expect(few.figures?.markov.perNote).toBeLessThan(few.figures?.uniform.perNote ?? 0);
  });
});
