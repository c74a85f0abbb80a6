import { describe, expect, it } from 'vitest';
import { MATCHED_LUFS, matchingGainDb, measureLoudness } from '../../renderer/src/player/loudness.ts';
import { decibels } from '../../renderer/src/player/levels.ts';
import { frequencyMarks, spectrogram } from '../../renderer/src/player/spectrogram.ts';
import {
  following,
  markText,
  moved,
  placeOf,
  timeMarks,
  within,
  zoomed,
} from '../../renderer/src/player/zoom.ts';

const sine = (hz: number, amplitude: number, seconds: number, rate: number): Float32Array =>
  Float32Array.from(
    { length: Math.round(seconds * rate) },
    (_, i) => amplitude * Math.sin((2 * Math.PI * hz * i) / rate),
  );

describe('loudness', () => {
  it.each([48_000, 22_050])('of a full-scale sine of 997 Hz is −3.01 LUFS at %d Hz', (rate) => {
    const { lufs, peakDb } = measureLoudness(sine(997, 1, 3, rate), rate);
    expect(lufs).toBeCloseTo(-3.01, 1);
    expect(peakDb).toBeCloseTo(0, 2);
  });

  it('follows the level, and weighs low tones less', () => {
    const of = (hz: number, amplitude: number) =>
      measureLoudness(sine(hz, amplitude, 3, 48_000), 48_000).lufs;
    expect(of(997, 0.1)).toBeCloseTo(of(997, 1) - 20, 2);
    expect(of(40, 0.5)).toBeLessThan(of(997, 0.5) - 3);
    expect(of(4000, 0.5)).toBeGreaterThan(of(997, 0.5) + 2);
  });

  it('does not count pauses, as the gates of BS.1770 have it', () => {
    const tone = sine(997, 0.2, 3, 48_000);
    const paused = new Float32Array(2 * tone.length);
    paused.set(tone);
    const [plain, with2] = [tone, paused].map((samples) => measureLoudness(samples, 48_000).lufs);
    expect(with2).toBeGreaterThan((plain ?? 0) - 0.5);
  });

  it('is that of one block where a sound is shorter, and none of silence', () => {
    expect(measureLoudness(sine(997, 1, 0.1, 48_000), 48_000).lufs).toBeGreaterThan(-5);
    expect(measureLoudness(new Float32Array(48_000), 48_000).lufs).toBe(-Infinity);
    expect(measureLoudness(new Float32Array(), 48_000).lufs).toBe(-Infinity);
  });

  it('is matched without going beyond full scale, by no more than 40 dB', () => {
    expect(matchingGainDb({ lufs: -13, peakDb: -2 })).toBe(MATCHED_LUFS + 13);
    expect(matchingGainDb({ lufs: -43, peakDb: -30 })).toBe(20);
    expect(matchingGainDb({ lufs: -43, peakDb: -5 })).toBe(4);
    expect(matchingGainDb({ lufs: -90, peakDb: -80 })).toBe(40);
    expect(matchingGainDb({ lufs: -Infinity, peakDb: -Infinity })).toBe(0);
    expect(['+4.0 dB', '−10.5 dB', '0.0 dB']).toEqual([4, -10.5, 0].map(decibels));
  });
});

describe('zoom', () => {
  const all = { start: 0, end: 10 };

  it('keeps the place around which it zooms, and stays inside the sound', () => {
    const near = zoomed(all, 2, 4, 10);
    expect(near).toEqual({ start: 2, end: 7 });
    expect(placeOf(4, near)).toBeCloseTo(placeOf(4, all), 9);
    expect(zoomed(near, 0.25, 4, 10)).toEqual(all);
    expect(zoomed(all, 4, 0, 10)).toEqual({ start: 0, end: 2.5 });
    expect(zoomed(all, 1e9, 5, 10).end - zoomed(all, 1e9, 5, 10).start).toBeCloseTo(0.02, 9);
    expect(moved(near, 100, 10)).toEqual({ start: 5, end: 10 });
    expect(moved(near, -100, 10)).toEqual({ start: 0, end: 5 });
    expect(within({ start: -1, end: 30 }, 10)).toEqual(all);
  });

  it('turns the page when what plays leaves it', () => {
    const page = { start: 2, end: 4 };
    expect(following(page, 3, 10)).toBe(page);
    expect(following(page, 4.1, 10)).toEqual({ start: 4.1, end: 6.1 });
    expect(following(page, 9.5, 10)).toEqual({ start: 8, end: 10 });
  });

  it('marks round times that can be told apart', () => {
    expect(timeMarks({ start: 0, end: 4 }, 5)).toEqual({ seconds: [0, 1, 2, 3, 4], digits: 0 });
    const fine = timeMarks({ start: 1.02, end: 1.1 }, 4);
    expect(fine.seconds.map((s) => markText(s, fine.digits))).toEqual([
      ...['0:01.02', '0:01.04', '0:01.06', '0:01.08', '0:01.10'],
    ]);
    expect(timeMarks({ start: 0, end: 600 }, 6).seconds).toEqual([0, 120, 240, 360, 480, 600]);
    expect([markText(62.5, 1), markText(59.96, 1), markText(125, 0)]).toEqual(['1:02.5', '1:00.0', '2:05']);
  });
});

describe('the spectrogram', () => {
  it('draws a part of a sound as it draws the whole of that part', () => {
    const rate = 22_050;
    const low = sine(200, 0.5, 1, rate);
    const samples = new Float32Array(2 * rate);
    samples.set(low);
    samples.set(sine(4000, 0.5, 1, rate), rate);
    const height = 60;
    const brightest = (part: { from: number; to: number }): number => {
      const levels = spectrogram(samples, rate, 8, height, part);
      const column = Array.from({ length: height }, (_, row) => levels[row * 8 + 4] ?? 0);
      return column.indexOf(Math.max(...column));
    };
    expect(brightest({ from: 0, to: rate })).toBeGreaterThan(brightest({ from: rate, to: 2 * rate }) + 15);
  });

  it('marks frequencies where the drawing has them', () => {
    const marks = frequencyMarks(22_050);
    expect(marks.map(({ text }) => text)).toEqual(['100 Hz', '300 Hz', '1 kHz', '3 kHz', '10 kHz']);
    expect(marks.map(({ place }) => place)).toEqual(marks.map(({ place }) => place).sort((a, b) => b - a));
    const [first] = marks;
    expect(first?.place).toBeCloseTo(1 - Math.log(100 / 40) / Math.log(11_025 / 40), 9);
    expect(frequencyMarks(8000).map(({ hz }) => hz)).toEqual([100, 300, 1000, 3000]);
  });
});
