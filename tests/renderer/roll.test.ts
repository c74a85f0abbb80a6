import { describe, expect, it } from 'vitest';
import { LONGEST_MELODY_SECONDS } from '../../engine/api/melody.ts';
import { beatName, pitchName } from '../../renderer/src/melody/names.ts';
import { Roll } from '../../renderer/src/melody/roll.svelte.ts';

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
