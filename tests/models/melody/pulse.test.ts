import { describe, expect, it } from 'vitest';
import type { Note } from '../../../models/melody/note.ts';
import { pulseOf } from '../../../models/melody/pulse.ts';
import { Random } from '../../../models/numerics/random.ts';
import { madeUpMelody } from '../../support/made-up-melodies.ts';

/** A made-up melody at another tempo, begun somewhere, with onsets as far off as those that are heard (10 ms). */
function played(seed: number, beatsPerMinute: number): Note[] {
  const random = new Random(seed);
  return madeUpMelody(seed).map((note) => ({
    ...note,
    onsetSeconds: 0.37 + (note.onsetSeconds * 120) / beatsPerMinute + 0.01 * random.normal(),
  }));
}

describe('the tempo of notes', () => {
  it('is the one they were played at, or half or twice that, also with onsets that are a little off', async () => {
    let same = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const wanted = 70 + 4 * seed;
      const octaves = Math.log2(((await pulseOf(played(seed, wanted)))?.beatsPerMinute ?? NaN) / wanted);
      // Within 1 %, so that a minute of beats ends where the notes do.
      expect(Math.abs(octaves - Math.round(octaves)), `seed ${seed}`).toBeLessThan(Math.log2(1.01));
      if (Math.round(octaves) === 0) same++;
    }
    expect(same).toBeGreaterThanOrEqual(14);
  });

  it('is none where onsets follow no pulse, or are few', async () => {
    let found = 0;
    for (let seed = 1; seed <= 50; seed++) {
      const random = new Random(seed);
      const notes = madeUpMelody(seed).map((note) => ({ ...note, onsetSeconds: 60 * random.uniform() }));
      if (await pulseOf(notes)) found++;
    }
    // One in a hundred by chance: in fifty hardly ever three.
    expect(found).toBeLessThan(3);
    expect(await pulseOf(madeUpMelody(1).slice(0, 5))).toBeNull();
    const chord = madeUpMelody(1).map((note) => ({ ...note, onsetSeconds: 1 }));
    expect(await pulseOf(chord)).toBeNull();
    expect(await pulseOf([])).toBeNull();
  });

  it('lets others work while it looks through ten minutes of notes, and can be given up', async () => {
    const random = new Random(1);
    const notes = Array.from({ length: 3000 }, () => ({
      ...{ onsetSeconds: 600 * random.uniform(), durationSeconds: 0.1 },
      ...{ midiPitch: 60, velocity: 64 },
    }));
    const given = new AbortController();
    const looking = pulseOf(notes, given.signal);
    // Turns of the event loop come in between, or this one would come after the answer.
    setTimeout(() => given.abort(new Error('given up')), 30);
    await expect(looking).rejects.toThrow('given up');
  });
});
