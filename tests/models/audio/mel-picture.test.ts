import { describe, expect, it } from 'vitest';
import { melPicture } from '../../../models/audio/mel-picture.ts';

const rate = 22_050;
const tone = (hz: number, seconds: number, level = 0.5): Float32Array =>
  Float32Array.from({ length: seconds * rate }, (_, i) => level * Math.sin((2 * Math.PI * hz * i) / rate));
const loudestBand = (samples: Float32Array): number => {
  const { bands, frames, levels } = melPicture(samples, rate);
  const middle = levels.subarray(Math.floor(frames / 2) * bands, (Math.floor(frames / 2) + 1) * bands);
  return middle.indexOf(Math.max(...middle));
};

describe('mel picture', () => {
  it('shows higher sounds further up', () => {
    const places = [100, 400, 1000, 3000, 8000].map((hz) => loudestBand(tone(hz, 0.5)));
    expect(places).toEqual([...new Set(places)].sort((a, b) => a - b));
  });

  it('tells how much softer a part is, in 80 dB', () => {
    const samples = tone(1000, 1);
    // The second half is 40 dB down.
    for (let i = samples.length / 2; i < samples.length; i++) samples[i] = (samples[i] ?? 0) * 0.01;
    const { bands, frames, levels } = melPicture(samples, rate);
    const at = (t: number) => Math.max(...levels.subarray(t * bands, (t + 1) * bands));
    expect(at(Math.floor(frames / 4))).toBeCloseTo(1, 2);
    expect(at(Math.floor((3 * frames) / 4))).toBeCloseTo(0.5, 1);
  });

  it('is empty of silence, and there for a click', () => {
    expect(Math.max(...melPicture(new Float32Array(rate), rate).levels)).toBe(0);
    expect(melPicture(Float32Array.of(1), rate).frames).toBeGreaterThan(0);
  });
});
