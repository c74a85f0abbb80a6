// @vitest-environment happy-dom
import { cleanup, render, screen } from '@testing-library/svelte';
import { afterEach, describe, expect, it } from 'vitest';
import { LONGEST_MELODY_SECONDS, type MelodySound } from '../../engine/api/melody.ts';
import MelodyHeard from '../../renderer/src/melody/MelodyHeard.svelte';
import { beatName, pitchName } from '../../renderer/src/melody/names.ts';
import { Roll } from '../../renderer/src/melody/roll.svelte.ts';

afterEach(cleanup);

const drawn = (): Roll => {
  const roll = new Roll();
  roll.add(0, 60, 0.5);
  roll.add(0.5, 64, 0.5);
  roll.add(1, 67, 0.5);
  return roll;
};
const facts = (roll: Roll) =>
  roll.notes.map(({ onsetSeconds, durationSeconds, midiPitch }) => [
    onsetSeconds,
    durationSeconds,
    midiPitch,
  ]);

describe('the notes of a piano roll', () => {
  it('have a tempo, or none where beats are only counted', () => {
    const roll = drawn();
    expect([roll.tempo, roll.beatsPerMinute]).toEqual([120, 120]);
    roll.setTempo(null);
    expect([roll.tempo, roll.beatsPerMinute, roll.counted]).toEqual([null, 120, true]);
    roll.setTempo(97.5);
    expect([roll.tempo, roll.counted]).toEqual([97.5, false]);
  });

  it('are added, moved together as far as there is room, made longer, and removed', () => {
    const roll = drawn();
    expect(facts(roll)).toEqual([
      [0, 0.5, 60],
      [0.5, 0.5, 64],
      [1, 0.5, 67],
    ]);
    roll.selectAll();
    // Nothing goes before the beginning, and what is chosen keeps its shape.
    roll.move(-3, 100);
    expect(facts(roll)).toEqual([
      [0, 0.5, 120],
      [0.5, 0.5, 124],
      [1, 0.5, 127],
    ]);
    roll.move(LONGEST_MELODY_SECONDS, 0);
    expect(roll.endSeconds).toBe(LONGEST_MELODY_SECONDS);
    roll.undo();
    roll.select(roll.notes[1]?.id ?? -1);
    roll.resize(-10);
    expect(roll.notes[1]?.durationSeconds).toBe(roll.stepSeconds);
    roll.resize(1);
    expect(roll.notes[1]?.durationSeconds).toBe(1.125);
    roll.louder(50);
    expect(roll.notes[1]?.velocity).toBe(127);
    roll.remove();
    expect(roll.notes.map(({ midiPitch }) => midiPitch)).toEqual([120, 127]);
    expect(roll.selected.size).toBe(0);
  });

  it('are undone and redone step by step, where a drag is one step', () => {
    const roll = drawn();
    const before = facts(roll);
    const gesture = Symbol('drag');
    const from = roll.notes;
    roll.select(from[0]?.id ?? -1);
    for (const by of [0.125, 0.25, 0.375]) roll.move(by, 1, gesture, from);
    expect(facts(roll)[0]).toEqual([0.375, 0.5, 61]);
    roll.undo();
    expect(facts(roll)).toEqual(before);
    roll.redo();
    expect(facts(roll)[0]).toEqual([0.375, 0.5, 61]);
    roll.replace([]);
    expect(roll.notes).toEqual([]);
    roll.undo();
    expect(roll.notes).toHaveLength(3);
    for (let i = 0; i < 9; i++) roll.undo();
    expect(roll.notes).toEqual([]);
    expect([roll.canUndo, roll.canRedo]).toEqual([false, true]);
    roll.add(0, 50, 1);
    expect(roll.canRedo).toBe(false);
  });

  it('are found by time and pitch, and lie on a grid', () => {
    const roll = drawn();
    expect(roll.at(0.49, 60)?.midiPitch).toBe(60);
    expect(roll.at(0.5, 60)).toBeNull();
    expect(roll.stepSeconds).toBe(0.125);
    expect(roll.snapped(0.3)).toBe(0.25);
    roll.selectBeside(1);
    expect(roll.selected).toEqual(new Set([roll.notes[2]?.id]));
    roll.selectBeside(-1);
    expect(roll.selected).toEqual(new Set([roll.notes[1]?.id]));
    expect(roll.add(LONGEST_MELODY_SECONDS, 60, 1)).toBeNull();
    expect([pitchName(60), pitchName(69), pitchName(61), beatName(0.625, 120, 4)]).toEqual([
      ...['C4', 'A4', 'C♯4', '2.2'],
    ]);
  });
});

describe('what the network hears in a melody', () => {
  const heard = (probability: number, rank: number, ownBySine: number): MelodySound => ({
    ...{ id: 'm', url: '', durationSeconds: 1, loweredDb: 0, file: null },
    instrument: {
      ...{ kind: 'pitched', hertz: 220, clarity: 0.9, startSeconds: 0, endSeconds: 1, loopLikeness: 1 },
    },
    classes: {
      scores: [
        { class: rank === 1 ? 'flute' : 'oboe', probability: 0.6 },
        { class: rank === 1 ? 'oboe' : 'flute', probability: 0.25 },
      ],
      own: { class: 'flute', probability, rank },
      ownBySine,
    },
  });

  it.each([
    [0.6, 1, 0.1, 'Still sounds like flute'],
    // Another class may be more probable by the sine: nothing is said of its rank.
    [0.6, 1, 0.58, 'Taken for flute, but hardly more than the same notes by a sine'],
    [0.25, 2, 0.1, 'Sounds more like oboe than like flute, which is number 2'],
  ])('is said in words (%f, number %i, by a sine %f)', (probability, rank, bySine, words) => {
    render(MelodyHeard, { sound: heard(probability, rank, bySine), stale: false });
    expect(screen.getByRole('status').textContent).toContain(words);
    const bars = [...document.querySelectorAll<HTMLElement>('.bar span')];
    expect(bars.map(({ style }) => style.width)).toEqual(['60%', '25%']);
  });
});
