import { describe, expect, it } from 'vitest';
import { attackOctaves, scoreWitnesses, witness } from '../../../models/benchmarks/witnesses.ts';
import { Random } from '../../../models/numerics/random.ts';

const RATE = 8000;
const noise = (seed: number): Float32Array => {
  const random = new Random(seed);
  return Float32Array.from({ length: RATE / 2 }, () => 0.2 * random.normal());
};
/** A tone that swells for so many milliseconds, with some noise in it. */
const note = (hertz: number, attackMs: number, noisy = 0, gain = 0.3, seed = 1): Float32Array => {
  const random = new Random(seed);
  return Float32Array.from(
    { length: RATE / 2 },
    (_, n) =>
      gain *
      Math.min(1, n / ((attackMs / 1000) * RATE + 1)) *
      (Math.sin((2 * Math.PI * hertz * n) / RATE) + noisy * random.normal()),
  );
};

describe('witness', () => {
  it('hears how clean a tone is: 20 dB less noise, about 20 dB more harmonics', () => {
    const [clean, rough] = [0.03, 0.3].map((noisy) => witness(note(220, 1, noisy), RATE).harmonicsDb);
    expect((clean ?? 0) - (rough ?? 0)).toBeGreaterThan(14);
    expect((clean ?? 0) - (rough ?? 0)).toBeLessThan(24);
    // Half a sine's power against the noise's: 0.5 / 0.09 is 7.4 dB.
    expect(rough).toBeGreaterThan(5);
    expect(rough).toBeLessThan(10);
    expect(witness(noise(1), RATE).harmonicsDb).toBeLessThan(-3);
    expect(witness(new Float32Array(RATE), RATE)).toMatchObject({ clarity: 0, harmonicsDb: 0, attack: 0 });
  });

  it('hears how fast a sound begins, whenever it does and however loud it is', () => {
    expect(attackOctaves(note(440, 1), RATE)).toBeLessThan(1);
    // From a tenth to nine tenths: four fifths of 200 ms.
    const slow = attackOctaves(note(440, 200), RATE);
    expect(2 ** slow).toBeGreaterThan(140);
    expect(2 ** slow).toBeLessThan(180);
    const late = new Float32Array(RATE);
    late.set(
      note(440, 200).map((value) => value / 100),
      RATE / 4,
    );
    expect(attackOctaves(late, RATE)).toBeCloseTo(slow, 0);
  });
});

describe('scoreWitnesses', () => {
  const real = [1, 2, 3].flatMap((seed) => [
    { class: 'flute', heard: witness(note(440 + seed, 60, 0.02, 0.3, seed), RATE) },
    { class: 'snare', heard: witness(noise(seed), RATE) },
  ]);

  it('finds nothing wrong with sounds like the real ones, and says by how much others differ', () => {
    const like = scoreWitnesses(
      [{ class: 'flute', heard: witness(note(450, 60, 0.02, 0.3, 7), RATE) }],
      real,
    );
    expect(like.clarity?.made).toBeCloseTo(like.clarity?.real ?? 0, 2);
    expect(like.attackOctaves.made).toBeLessThan(0.5);
    expect(like.levelDb.made).toBeLessThan(0.5);

    const texture = scoreWitnesses(
      [
        {
          class: 'flute',
          heard: witness(
            noise(9).map((v) => v / 10),
            RATE,
          ),
        },
      ],
      real,
    );
    expect(texture.clarity?.made).toBeLessThan(0.5);
    expect((texture.harmonicsDb?.real ?? 0) - (texture.harmonicsDb?.made ?? 0)).toBeGreaterThan(20);
    expect(texture.levelDb.made).toBeGreaterThan(15);
  });

  it('asks only pitched classes for pitch, and leaves out classes without real sounds', () => {
    const snare = { class: 'snare', heard: witness(noise(5), RATE) };
    expect(scoreWitnesses([snare], real)).toMatchObject({ clarity: null, harmonicsDb: null });
    const withOther = scoreWitnesses([snare, { class: 'unknown', heard: snare.heard }], real);
    expect(withOther).toEqual(scoreWitnesses([snare], real));
  });
});
