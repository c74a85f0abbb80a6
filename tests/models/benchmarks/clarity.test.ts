import { describe, expect, it } from 'vitest';
import { pitchClarity } from '../../../models/benchmarks/clarity.ts';
import { Random } from '../../../models/numerics/random.ts';

const RATE = 24_000;
const SECONDS = 0.5;
const tone = (hz: number, harmonics = 1): Float32Array =>
  Float32Array.from({ length: SECONDS * RATE }, (_, i) => {
    let sum = 0;
    for (let h = 1; h <= harmonics; h++) sum += Math.sin((2 * Math.PI * hz * h * i) / RATE + h) / h;
    return 0.1 * sum;
  });

describe('pitch clarity', () => {
  it('is one for a periodic tone, low or high, whatever its level and however long the silence after it', () => {
    for (const sound of [tone(60, 8), tone(440), tone(1800, 3)]) {
      expect(pitchClarity(sound, RATE)).toBeGreaterThan(0.97);
      const quiet = new Float32Array(4 * sound.length);
      quiet.set(sound.map((value) => value / 1000));
      expect(pitchClarity(quiet, RATE)).toBeGreaterThan(0.97);
    }
  });

  it('is low for noise, in between for a tone in noise, and none for silence', () => {
    const noise = new Random(1).normals(SECONDS * RATE).map((value) => 0.1 * value);
    expect(pitchClarity(noise, RATE)).toBeLessThan(0.25);
    const both = tone(440).map((value, i) => value + 0.5 * (noise[i] ?? 0));
    expect(pitchClarity(both, RATE)).toBeGreaterThan(0.4);
    expect(pitchClarity(both, RATE)).toBeLessThan(0.9);
    expect(pitchClarity(new Float32Array(RATE), RATE)).toBe(0);
  });
});
