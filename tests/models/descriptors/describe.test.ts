import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { describeTrack, type TrackDescriptors } from '../../../models/descriptors/describe.ts';
import { keyStrength } from '../../../models/descriptors/key-strength.ts';
import { Loudness } from '../../../models/descriptors/loudness.ts';
import { ONSET_RATE, OnsetEnvelope, onsetsOf } from '../../../models/descriptors/onsets.ts';
import { Random } from '../../../models/numerics/random.ts';

/** Short noises at a tempo, every fourth louder, over a quiet hum. */
function beats(bpm: number, seconds: number, seed: number): Float32Array {
  const random = new Random(seed);
  const sound = Float32Array.from(
    { length: seconds * ONSET_RATE },
    (_, n) => 0.003 * Math.sin((2 * Math.PI * 110 * n) / ONSET_RATE) + 0.0002 * random.normal(),
  );
  for (let beat = 0; (beat * 60) / bpm < seconds - 0.2; beat++) {
    const from = Math.round(((beat + 0.5) * 60 * ONSET_RATE) / bpm);
    for (let n = 0; n < 3000 && from + n < sound.length; n++)
      sound[from + n] =
        (sound[from + n] ?? 0) + (beat % 4 === 0 ? 0.4 : 0.25) * random.normal() * Math.exp(-n / 500);
  }
  return sound;
}

/** A note every half second or so, of plucked partials. */
function plucks(seconds: number): Float32Array {
  const random = new Random(9);
  const sound = new Float32Array(seconds * ONSET_RATE);
  for (let at = 0.3; at < seconds - 0.5; at += 0.35 + 0.4 * random.uniform()) {
    const hertz = 220 * 2 ** (Math.floor(12 * random.uniform()) / 12);
    const from = Math.round(at * ONSET_RATE);
    for (let n = 0; from + n < sound.length; n++)
      for (const k of [1, 2, 3])
        sound[from + n] =
          (sound[from + n] ?? 0) +
          (0.2 / k) * Math.exp((-n * k) / 6000) * Math.sin((2 * Math.PI * k * hertz * n) / ONSET_RATE);
  }
  return sound;
}

const sounds: Record<string, Float32Array> = {
  'beats-90': beats(90, 12, 1),
  'beats-126': beats(126, 12, 2),
  'beats-150': beats(150, 10, 3),
  plucks: plucks(14),
};

/** In pieces of odd lengths: how it comes from a decoder must not count. */
async function* pieces(sound: Float32Array): AsyncGenerator<Float32Array> {
  for (let from = 0, length = 1; from < sound.length; from += length, length = (length * 7 + 1001) % 40_009) {
    await Promise.resolve();
    yield sound.subarray(from, from + Math.max(1, length));
    length = Math.max(1, length);
  }
}
const described = (sound: Float32Array): Promise<TrackDescriptors> => describeTrack(pieces(sound));

describe('what is measured of a track', () => {
  it.each([
    ['beats-90', 90, 18],
    ['beats-126', 126, 25],
    ['beats-150', 150, 25],
  ])('finds tempo and onsets of %s', async (name, bpm, onsets) => {
    const sound = sounds[name] ?? new Float32Array();
    const { logTempo, onsetDensity } = await described(sound);
    expect(Math.abs(2 ** (logTempo ?? 0) - bpm) / bpm).toBeLessThan(0.04);
    expect(Math.abs(onsetDensity * (sound.length / ONSET_RATE) - onsets)).toBeLessThanOrEqual(1);
  });

  it('finds no tempo where nothing begins, and gives numbers for silence and next to no sound', async () => {
    const hum = Float32Array.from({ length: 4 * ONSET_RATE }, (_, n) => 0.2 * Math.sin((440 * n) / 3509));
    expect(await described(hum)).toMatchObject({ logTempo: null });
    expect((await described(hum)).onsetDensity).toBeLessThan(0.6);
    for (const sound of [new Float32Array(ONSET_RATE), new Float32Array(1), new Float32Array(0)])
      expect(await described(sound)).toEqual({ loudness: -70, onsetDensity: 0, logTempo: null });
  });

  it('agrees with librosa where it is there', async ({ skip }) => {
    const python = process.env['ARCHETONE_PYTHON'] ?? 'python3';
    try {
      execFileSync(python, ['-c', 'import librosa'], { stdio: 'ignore' });
    } catch {
      skip('no Python with librosa');
    }
    const folder = mkdtempSync(join(tmpdir(), 'archetone-descriptors-'));
    try {
      for (const [name, sound] of Object.entries(sounds))
        writeFileSync(join(folder, `${name}.f32`), new Uint8Array(sound.buffer));
      const script = resolve(import.meta.dirname, '../../support/descriptors_twin.py');
      const twin = z
        .record(z.string(), z.object({ onsets: z.number(), tempo: z.number() }))
        .parse(JSON.parse(execFileSync(python, [script, folder], { encoding: 'utf8' })));
      for (const [name, sound] of Object.entries(sounds)) {
        const envelope = new OnsetEnvelope();
        await envelope.push(sound);
        const onsets = onsetsOf(await envelope.result()).length;
        expect(Math.abs(onsets - (twin[name]?.onsets ?? NaN)), name).toBeLessThanOrEqual(1);
        const { logTempo } = await described(sound);
        // One lag to either side.
        expect(Math.abs(2 ** (logTempo ?? 0) / (twin[name]?.tempo ?? NaN) - 1), name).toBeLessThan(0.04);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('measures loudness as the recommendation defines it', () => {
    const tone = (rate: number, amplitude: number, seconds: number): Float32Array =>
      Float32Array.from(
        { length: rate * seconds },
        (_, n) => amplitude * Math.sin((2 * Math.PI * 997 * n) / rate),
      );
    for (const rate of [ONSET_RATE, 48_000]) {
      // ITU-R BS.1770: a sine of 997 Hz at full scale in one channel has −3.01 LUFS.
      const full = new Loudness(rate);
      full.push(tone(rate, 1, 2));
      expect(full.result()).toBeCloseTo(-3.01, 1);
      // Silence between does not count.
      const gated = new Loudness(rate);
      for (const part of [tone(rate, 0.1, 4), new Float32Array(8 * rate)]) gated.push(part);
      expect(Math.abs(gated.result() - -23.01)).toBeLessThan(0.3);
    }
  });

  it('knows how clear a key is', () => {
    const triad = [1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0];
    const turned = triad.map((_, c) => triad[(c + 5) % 12] ?? 0);
    expect(keyStrength(triad)).toBeCloseTo(keyStrength(turned) ?? NaN, 10);
    expect(keyStrength(triad)).toBeGreaterThan(0.7);
    expect(keyStrength([1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1])).toBeLessThan(0.6);
    expect(keyStrength(Array(12).fill(0.3))).toBeNull();
  });
});
