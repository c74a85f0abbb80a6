import { Random } from '../numerics/random.ts';

const CHORD_HZ = [220, 277.18, 329.63];
const NOISE_LEVEL = 0.1;
const NOTE_SECONDS = 0.15;
const NOTE_LEVEL = 0.3;
const DECAY_SECONDS = 0.1;

/** Three sines, a major chord, of `samples` at `sampleRate` Hz; the same on every call. */
export function chord(samples: number, sampleRate: number): Float32Array {
  return Float32Array.from({ length: samples }, (_, n) =>
    CHORD_HZ.reduce((sum, hz) => sum + 0.1 * Math.sin((2 * Math.PI * hz * n) / sampleRate), 0),
  );
}

/** White noise. */
export function noise(samples: number, random: Random): Float32Array {
  return random.normals(samples).map((value) => NOISE_LEVEL * value);
}

/** Plucked notes at random pitches, one after the other, over a little noise: onsets, harmonics and silence. */
export function melody(samples: number, sampleRate: number, random: Random): Float32Array {
  const sound = random.normals(samples).map((value) => 0.003 * value);
  const length = Math.round(NOTE_SECONDS * sampleRate);
  for (let start = 0; start < samples; start += length) {
    const hz = 110 * 2 ** (random.integer(36) / 12);
    for (let n = 0; n < Math.min(length, samples - start); n++) {
      const seconds = n / sampleRate;
      const phase = 2 * Math.PI * hz * seconds;
      const wave = Math.sin(phase) + 0.5 * Math.sin(2 * phase) + 0.25 * Math.sin(3 * phase);
      sound[start + n] = (sound[start + n] ?? 0) + NOTE_LEVEL * wave * Math.exp(-seconds / DECAY_SECONDS);
    }
  }
  return sound;
}
