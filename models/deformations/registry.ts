import { NumericError } from '../numerics/errors.ts';
import { convolve } from '../numerics/fft.ts';
import type { Random } from '../numerics/random.ts';
import type { DeformationKind } from './deformation.ts';
import { clippingBounds, powerOf, shiftInCents, signalToNoise } from './measures.ts';
import { shiftPitch } from './pitch.ts';

/** Seconds after which a synthetic response has faded by 60 dB, and its length. */
const REVERBERATION = 0.5;

const decibels = (ratio: number): number => 10 * Math.log10(ratio);

/** Every kind of deformation that an evaluation file may name. */
export const deformationKinds: readonly DeformationKind[] = [
  {
    type: 'AddGaussianSNR',
    title: 'Gaussian noise',
    parameters: [
      { min: ['min_snr_in_db', 'min_snr_db'], max: ['max_snr_in_db', 'max_snr_db'], low: -60, high: 120 },
    ],
    says: (value) => `noise at ${value} dB SNR`,
    apply: ({ samples }, snr, { random }) => {
      const scale = Math.sqrt(powerOf(samples)) * 10 ** (-snr / 20);
      return samples.map((value) => value + scale * random.normal());
    },
    measure: ({ samples }, after, wanted) => {
      const found = signalToNoise(samples, after);
      // The power of a few thousand random numbers is not their variance.
      const tolerance = Math.max(0.1, 30 / Math.sqrt(samples.length));
      return found === null ? null : { name: 'SNR', unit: 'dB', wanted, found, tolerance };
    },
  },
  {
    type: 'Gain',
    title: 'Gain',
    parameters: [
      { min: ['min_gain_in_db', 'min_gain_db'], max: ['max_gain_in_db', 'max_gain_db'], low: -120, high: 60 },
    ],
    says: (value) => `gain ${value} dB`,
    apply: ({ samples }, gain) => samples.map((value) => value * 10 ** (gain / 20)),
    measure: ({ samples }, after, wanted) => {
      const [a, b] = [powerOf(samples), powerOf(after)];
      return a > 0 && b > 0
        ? { name: 'gain', unit: 'dB', wanted, found: decibels(b / a), tolerance: 0.1 }
        : null;
    },
  },
  {
    type: 'ClippingDistortion',
    title: 'Clipping',
    parameters: [{ min: ['min_percentile_threshold'], max: ['max_percentile_threshold'], low: 0, high: 100 }],
    says: (value) => `${value} % clipped`,
    apply: ({ samples }, percent) => {
      const [low, high] = clippingBounds(samples, percent);
      return samples.map((value) => Math.max(low, Math.min(high, value)));
    },
    measure: ({ samples }, after, wanted) => {
      const [low, high] = clippingBounds(samples, wanted);
      if (low === high) return null;
      const kept = after.every((value) => value >= Math.fround(low) && value <= Math.fround(high));
      // Samples that already lie on a bound, of a sound that was clipped before, count as far as they are wanted.
      const beyond = samples.filter((value) => value < low || value > high).length;
      const inside = samples.filter((value) => value > low && value < high).length;
      const [least, most] = [beyond, samples.length - inside].map((count) => (100 * count) / samples.length);
      const found = kept ? Math.min(Math.max(wanted, least ?? 0), most ?? 0) : 0;
      return { name: 'clipped', unit: '%', wanted, found, tolerance: Math.max(0.5, 300 / samples.length) };
    },
  },
  {
    type: 'Mp3Compression',
    title: 'MP3',
    parameters: [{ min: ['min_bitrate'], max: ['max_bitrate'], low: 8, high: 320 }],
    says: (value) => `MP3 at ${value} kbit/s`,
    outside: 'ffmpeg',
    apply: (sound, kilobits, { tools }) => {
      if (tools.mp3) return tools.mp3(sound, kilobits);
      throw new NumericError('bad-parameter', 'No program that writes MP3 is there.', 'Install ffmpeg.');
    },
    // What it does to a sound is up to the sound.
    measure: () => null,
  },
  {
    type: 'PitchShift',
    title: 'Pitch shift',
    parameters: [{ min: ['min_semitones'], max: ['max_semitones'], low: -24, high: 24 }],
    says: (value) => `${value} semitones`,
    apply: (sound, semitones) => shiftPitch(sound, semitones),
    measure: ({ samples, sampleRate }, after, semitones) => {
      const wanted = 100 * semitones;
      const found = shiftInCents(samples, after, sampleRate, wanted);
      return found === null ? null : { name: 'shift', unit: 'cents', wanted, found, tolerance: 5 };
    },
  },
  {
    type: 'ApplyImpulseResponse',
    title: 'Impulse response',
    parameters: [],
    says: (value) => (value === '' ? 'a room (synthetic)' : `room ${value}`),
    file: 'ir_path',
    apply: async ({ samples, sampleRate }, _value, { tools, file, random }) =>
      convolve(
        samples,
        file === null ? syntheticRoom(sampleRate, random) : await tools.response(file, sampleRate),
      ),
    measure: () => null,
  },
];

/** Noise that fades by 60 dB in half a second, of energy 1: the direct sound comes first. */
function syntheticRoom(sampleRate: number, random: Random): Float32Array {
  const length = Math.round(REVERBERATION * sampleRate);
  const response = Float32Array.from(
    { length },
    (_, i) => (i === 0 ? 1 : 0.05 * random.normal()) * 10 ** ((-3 * i) / length),
  );
  const energy = Math.sqrt(powerOf(response) * length);
  return response.map((value) => value / energy);
}
