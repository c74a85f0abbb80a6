import { describe, expect, it } from 'vitest';
import { encodeWav } from '../../../models/audio/encode-wav.ts';
import { instrumentOf, type Instrument } from '../../../models/melody/instrument.ts';
import { hertzOf, type Note } from '../../../models/melody/note.ts';
import { renderMelody } from '../../../models/melody/render.ts';
import { transform } from '../../../models/numerics/fft.ts';
import { Random } from '../../../models/numerics/random.ts';

const RATE = 24_000;
const SECONDS = 2.5;

/** A sound as a decoder makes it: harmonics of a pitch that nobody chose, with vibrato, a swell and noise. */
function harmonic(hertz: number, { vibratoCents = 15, falls = 0, noise = 0.02 } = {}): Float32Array {
  const random = new Random(3);
  let phase = 0;
  return Float32Array.from({ length: SECONDS * RATE }, (_, n) => {
    const t = n / RATE;
    phase += (2 * Math.PI * hertz * 2 ** ((vibratoCents * Math.sin(2 * Math.PI * 5 * t)) / 1200)) / RATE;
    let sum = 0;
    for (let k = 1; k <= 8; k++) sum += Math.sin(k * phase + k) / k;
    const level = (0.2 + 0.1 * Math.sin(2 * Math.PI * 0.7 * t)) * Math.exp(-falls * t);
    return level * sum + noise * random.normal();
  });
}

/**
 * A pitch by other means than the instrument's: the comb of harmonics that collects most of the spectrum (64 k points, Hann),
 * looked for within three semitones of what is expected, and refined on its harmonics by parabolas.
 */
function pitchOf(samples: Float32Array, expected: number): number {
  const n = 65_536;
  const re = new Float64Array(n);
  const im = new Float64Array(n);
  for (let i = 0; i < samples.length; i++)
    re[i] = (samples[i] ?? 0) * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / samples.length));
  transform(re, im);
  const log = (bin: number): number => Math.log(Math.hypot(re[bin] ?? 0, im[bin] ?? 0) + 1e-12);
  const magnitude = (bin: number): number => Math.hypot(re[bin] ?? 0, im[bin] ?? 0);
  let [best, most] = [0, -1];
  for (let cents = -300; cents <= 300; cents += 2) {
    const hertz = expected * 2 ** (cents / 1200);
    let sum = 0;
    for (let k = 1; k <= 5 && k * hertz < RATE / 2; k++)
      sum += magnitude(Math.round((k * hertz * n) / RATE)) / Math.sqrt(k);
    if (sum > most) [best, most] = [hertz, sum];
  }
  // The strongest bin around the first harmonic, between bins.
  let peak = Math.round((best * n) / RATE);
  for (let bin = peak - 12; bin <= peak + 12; bin++) if (magnitude(bin) > magnitude(peak)) peak = bin;
  const [left, middle, right] = [log(peak - 1), log(peak), log(peak + 1)];
  return ((peak + (left - right) / (2 * (left - 2 * middle + right))) * RATE) / n;
}

/** Made once: most tests play on it. */
const middle = instrumentOf(harmonic(231.7), RATE);

const cents = (a: number, b: number): number => 1200 * Math.log2(a / b);
const melody = (pitches: readonly number[], length = 0.45, every = 0.6): Note[] =>
  pitches.map((midiPitch, i) => ({
    ...{ onsetSeconds: 0.25 + i * every, durationSeconds: length, midiPitch, velocity: 100 },
  }));
const partOf = (samples: Float32Array, from: number, to: number): Float32Array =>
  samples.subarray(Math.round(from * RATE), Math.round(to * RATE));
const rms = (samples: Float32Array): number =>
  Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
/** When the level first reaches a tenth of what it will be, from silence. */
function onsetAfter(samples: Float32Array, seconds: number): number {
  const level = 0.1 * partOf(samples, seconds, seconds + 0.3).reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  const from = Math.round((seconds - 0.05) * RATE);
  for (let i = from; i < samples.length; i++) if (Math.abs(samples[i] ?? 0) >= level) return i / RATE;
  return Infinity;
}

describe('a sound as an instrument', () => {
  it.each([
    ['low', 97.3],
    ['in the middle', null],
    ['high', 812.9],
  ])('follows the notes within 20 cents, from a pitch that is %s', async (_, hertz) => {
    const instrument = await (hertz === null ? middle : instrumentOf(harmonic(hertz), RATE));
    expect(instrument).toMatchObject({ kind: 'pitched' });
    const notes = melody([48, 55, 60, 64, 67, 72, 84]);
    const { samples } = await renderMelody(instrument, notes);
    const off = notes.map(({ onsetSeconds, midiPitch }) => {
      const wanted = hertzOf(midiPitch);
      return Math.abs(
        cents(pitchOf(partOf(samples, onsetSeconds + 0.05, onsetSeconds + 0.43), wanted), wanted),
      );
    });
    expect(Math.max(...off)).toBeLessThan(20);
    for (const { onsetSeconds } of notes)
      expect(Math.abs(onsetAfter(samples, onsetSeconds) - onsetSeconds)).toBeLessThan(0.01);
  });

  it('sustains a long note without a seam, on the same pitch to its end', async () => {
    const instrument = await middle;
    if (instrument.kind !== 'pitched') throw new Error('unpitched');
    expect(instrument.loop?.likeness).toBeGreaterThan(0.9);
    expect(instrument.clarity).toBeGreaterThan(0.9);
    const { samples } = await renderMelody(instrument, melody([57], 6));
    const levels = Array.from({ length: 55 }, (_, i) => rms(partOf(samples, 0.35 + i / 10, 0.45 + i / 10)));
    expect(Math.max(...levels) / Math.min(...levels)).toBeLessThan(1.5);
    for (const from of [0.5, 2.5, 4.5])
      expect(Math.abs(cents(pitchOf(partOf(samples, from, from + 1), 220), 220))).toBeLessThan(5);
    // A seam would be a jump that the sound itself does not make.
    const steps = samples.map((value, i) => Math.abs(value - (samples[i - 1] ?? value)));
    const usual = [...steps].sort((a, b) => a - b)[Math.floor(steps.length * 0.999)] ?? 0;
    const largest = partOf(steps, 0.3, 6.2).reduce((a, b) => Math.max(a, b), 0);
    expect(largest).toBeLessThan(2 * usual);
  });

  it('goes on past the end of a loop as the loop does, where the sound ends there, too', async () => {
    // Periods of 100 samples; the pitch that is asked for falls between them.
    const samples = Float32Array.from({ length: 4000 }, (_, n) => 0.1 * Math.cos((2 * Math.PI * n) / 100));
    const tone: Instrument = {
      ...{ kind: 'pitched', samples, sampleRate: RATE, hertz: RATE / 100, clarity: 1 },
      ...{ startSeconds: 0, endSeconds: 4000 / RATE, loop: { start: 1000, end: 4000, likeness: 1 } },
    };
    const note = { onsetSeconds: 0, durationSeconds: 1, midiPitch: 69, velocity: 127 };
    const played = (await renderMelody(tone, [note])).samples;
    const step = 3000 / Math.round(3000 / (440 / (RATE / 100)));
    let off = 0;
    for (let n = 200; n < RATE; n++)
      off = Math.max(off, Math.abs((played[n] ?? 0) - 0.1 * Math.cos((2 * Math.PI * n * step) / 100)));
    expect(off).toBeLessThan(1e-4);
  });

  it('lets a sound that dies away die away', async () => {
    const instrument = await instrumentOf(harmonic(180, { falls: 3, noise: 0.0005 }), RATE);
    expect(instrument).toMatchObject({ kind: 'pitched', loop: null });
    const { samples } = await renderMelody(instrument, melody([60], 3));
    expect(rms(partOf(samples, 0.3, 0.4))).toBeGreaterThan(4 * rms(partOf(samples, 1.3, 1.4)));
  });

  it.each([
    ['noise', () => Float32Array.from(new Random(1).normals(SECONDS * RATE), (x) => 0.1 * x)],
    ['silence', () => new Float32Array(SECONDS * RATE)],
    ['a moment', () => harmonic(220).subarray(0, 1000)],
    ['nothing', () => new Float32Array()],
  ])('strikes what has no pitch: %s', async (_, make) => {
    const instrument = await instrumentOf(make(), RATE);
    expect(instrument.kind).toBe('unpitched');
    expect(instrument.clarity).toBeLessThan(0.6);
    const { samples } = await renderMelody(instrument, melody([60, 72]));
    expect(samples.every(Number.isFinite)).toBe(true);
  });

  it('strikes at every onset, whatever its pitch', async () => {
    const noise = Float32Array.from(new Random(1).normals(SECONDS * RATE), (x) => 0.1 * x);
    const notes = melody([40, 60, 80], 0.2);
    const { samples } = await renderMelody(await instrumentOf(noise, RATE), notes);
    for (const { onsetSeconds } of notes) {
      expect(Math.abs(onsetAfter(samples, onsetSeconds) - onsetSeconds)).toBeLessThan(0.01);
      expect(rms(partOf(samples, onsetSeconds - 0.1, onsetSeconds - 0.01))).toBe(0);
    }
  });

  it('takes velocity for level, never clips, and gives the same bytes again', async () => {
    const instrument = await middle;
    const [loud, soft] = await Promise.all(
      [120, 60].map(async (velocity) =>
        rms((await renderMelody(instrument, [{ ...melody([60])[0], velocity } as Note])).samples),
      ),
    );
    expect((loud ?? 0) / (soft ?? 1)).toBeCloseTo(2, 3);
    const crowd: Note[] = Array.from({ length: 12 }, (_, i) => ({
      ...{ onsetSeconds: 0, durationSeconds: 1, midiPitch: 54 + i, velocity: 127 },
    }));
    const { samples, loweredDb } = await renderMelody(instrument, crowd);
    const peak = samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(peak).toBeLessThanOrEqual(0.8901);
    expect(peak).toBeGreaterThan(0.5);
    expect(loweredDb).toBeGreaterThan(3);
    const again = await renderMelody(await instrumentOf(harmonic(231.7), RATE), crowd);
    expect(
      Buffer.from(encodeWav(again.samples, RATE, 'pcm16')).equals(encodeWav(samples, RATE, 'pcm16')),
    ).toBe(true);
  });

  it('plays nothing for no notes, and stops when it is told to', async () => {
    const instrument = await middle;
    expect((await renderMelody(instrument, [])).samples.every((x) => x === 0)).toBe(true);
    const stop = AbortSignal.abort(new Error('enough'));
    await expect(renderMelody(instrument, melody([60]), { signal: stop })).rejects.toThrow('enough');
  });
});
