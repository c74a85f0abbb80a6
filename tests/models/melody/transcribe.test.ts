import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hertzOf, type Note } from '../../../models/melody/note.ts';
import {
  notesOf,
  oneVoice,
  PITCHES,
  LOWEST_PITCH,
  type Posteriors,
} from '../../../models/melody/posteriors.ts';
import { pulseOf } from '../../../models/melody/pulse.ts';
import { basicPitchFile, posteriorsOf, TRANSCRIBED_RATE } from '../../../models/melody/transcribe.ts';
import { readTfjs, tensorflowToOnnx } from '../../../models/tensorflow/index.ts';

const published = join(import.meta.dirname, '../../../node_modules/@spotify/basic-pitch/model');

/** Notes as a plucked sound with some harmonics. */
function played(notes: readonly Note[], seconds: number): Float32Array {
  const out = new Float32Array(Math.round(seconds * TRANSCRIBED_RATE));
  for (const { onsetSeconds, durationSeconds, midiPitch } of notes) {
    const start = Math.round(onsetSeconds * TRANSCRIBED_RATE);
    const length = Math.round(durationSeconds * TRANSCRIBED_RATE);
    for (let i = 0; i < length; i++) {
      const t = i / TRANSCRIBED_RATE;
      let sum = 0;
      for (let k = 1; k <= 4; k++) sum += Math.sin(2 * Math.PI * k * hertzOf(midiPitch) * t) / k ** 2;
      const fade = Math.min(1, t / 0.005, (durationSeconds - t) / 0.01);
      out[start + i] = (out[start + i] ?? 0) + 0.25 * fade * Math.exp(-2 * t) * sum;
    }
  }
  return out;
}

const scale: Note[] = [60, 62, 64, 65, 67, 69, 71, 72].map((midiPitch, i) => ({
  ...{ onsetSeconds: 0.3 + i * 0.4, durationSeconds: 0.35, midiPitch, velocity: 100 },
}));

describe('the notes of a recording', () => {
  it.skipIf(!existsSync(published))('are heard by the network that was published, bit by bit', async () => {
    const graph = await readTfjs(JSON.parse(readFileSync(join(published, 'model.json'), 'utf8')), {
      read: (name) => Promise.resolve(readFileSync(join(published, name))),
    });
    const outputs = ['Identity_1', 'Identity_2'];
    const onnx = tensorflowToOnnx(graph, { input: 'input_2', inputShape: null, outputs });
    expect(readFileSync(basicPitchFile()).equals(onnx)).toBe(true);
  });

  it('have the tempo that they were played at', async () => {
    const up = Array.from({ length: 3 }, (_, round) =>
      scale.map((note) => ({ ...note, onsetSeconds: note.onsetSeconds + round * 3.2 })),
    ).flat();
    const pulse = await pulseOf(notesOf(await posteriorsOf(played(up, 10.2))));
    // A note each 0.4 s: 150 a minute, or 75.
    const octaves = Math.log2((pulse?.beatsPerMinute ?? NaN) / 150);
    expect(Math.abs(octaves - Math.round(octaves))).toBeLessThan(Math.log2(1.01));
  });

  it('are those of a scale that was played: pitches right, onsets within 30 ms, nothing besides', async () => {
    const told: number[] = [];
    const posteriors = await posteriorsOf(played(scale, 4), { onWindow: (done) => told.push(done) });
    expect(told).toEqual([1, 2, 3]);
    const found = oneVoice(notesOf(posteriors));
    expect(found.map(({ midiPitch }) => midiPitch)).toEqual(scale.map(({ midiPitch }) => midiPitch));
    found.forEach((note, i) => {
      expect(Math.abs(note.onsetSeconds - (scale[i]?.onsetSeconds ?? NaN))).toBeLessThan(0.03);
      expect(Math.abs(note.durationSeconds - 0.35)).toBeLessThan(0.12);
    });
    const stop = AbortSignal.abort(new Error('enough'));
    await expect(posteriorsOf(new Float32Array(9), { signal: stop })).rejects.toThrow('enough');
    expect(notesOf(await posteriorsOf(new Float32Array(TRANSCRIBED_RATE)))).toEqual([]);
  });

  it('begin at an onset, outlast a short gap, and leave their neighbours out', () => {
    const frames = 60;
    const posteriors: Posteriors = {
      notes: new Float32Array(frames * PITCHES),
      onsets: new Float32Array(frames * PITCHES),
      seconds: Float64Array.from({ length: frames }, (_, t) => t / 100),
    };
    const set = (of: Float32Array, t: number, pitch: number, value: number) =>
      (of[t * PITCHES + pitch - LOWEST_PITCH] = value);
    for (let t = 10; t < 40; t++) {
      // A gap of four frames is the note's own; a neighbour sounds along.
      set(posteriors.notes, t, 60, t >= 20 && t < 24 ? 0.25 : 0.5);
      set(posteriors.notes, t, 61, 0.4);
    }
    set(posteriors.onsets, 10, 60, 0.9);
    // Without an onset, and too short.
    for (let t = 45; t < 49; t++) set(posteriors.notes, t, 72, 0.9);
    const [note, ...more] = notesOf(posteriors);
    expect(more).toEqual([]);
    expect(note?.midiPitch).toBe(60);
    expect(note?.onsetSeconds).toBeCloseTo(0.1, 9);
    expect(note?.durationSeconds).toBeCloseTo(0.3, 9);
    expect(note?.velocity).toBe(Math.round((127 * (26 * 0.5 + 4 * 0.25)) / 30));
  });

  it('are found without an onset, too, the strongest first', () => {
    const frames = 60;
    const posteriors: Posteriors = {
      notes: new Float32Array(frames * PITCHES),
      onsets: new Float32Array(frames * PITCHES),
      seconds: Float64Array.from({ length: frames }, (_, t) => t / 100),
    };
    // The neighbour is a note of its own only where the stronger one is not.
    for (const [pitch, from, to, value] of [
      [60, 5, 40, 0.5],
      [61, 5, 55, 0.4],
      [72, 5, 30, 0.5],
    ] as const)
      for (let t = from; t < to; t++) posteriors.notes[t * PITCHES + pitch - LOWEST_PITCH] = value;
    const found = notesOf(posteriors).map((note) => [
      note.midiPitch,
      note.onsetSeconds,
      note.durationSeconds,
    ]);
    expect(found).toEqual([
      [60, 0.05, expect.closeTo(0.35, 9)],
      [72, 0.05, expect.closeTo(0.25, 9)],
      [61, 0.4, expect.closeTo(0.15, 9)],
    ]);
  });

  it('become one voice: the strongest, each up to the next', () => {
    const note = (onsetSeconds: number, durationSeconds: number, midiPitch: number, velocity: number) => ({
      ...{ onsetSeconds, durationSeconds, midiPitch, velocity },
    });
    expect(
      oneVoice([note(0, 1, 72, 100), note(0, 1, 48, 60), note(0.9, 1, 74, 100), note(1.85, 0.1, 50, 20)]),
    ).toEqual([note(0, 0.9, 72, 100), note(0.9, 1, 74, 100)]);
    expect(oneVoice([])).toEqual([]);
  });
});
