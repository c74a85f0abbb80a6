import { LogBands } from './log-bands.ts';
import { melBank } from './mel-bank.ts';

/** Samples of a frame, and between frames. */
const SIZE = 1024;
const HOP = 256;
const BANDS = 48;
/** −80 dB re a full-scale sine: what lies below is black. */
const FLOOR = 1e-4;
const RANGE = -Math.log(FLOOR);
/** Longer sounds are looked at elsewhere. */
export const MOST_SECONDS = 60;

/** Levels `[frames, bands]`, low bands first, 0…1. */
export interface MelLevels {
  bands: number;
  frames: number;
  levels: Float32Array;
}

/**
 * A mel spectrogram for looking at: 1 is the loudest, 0 is 80 dB below it or more. Silence is all 0.
 * @param samples at least one frame is made of them, up to {@link MOST_SECONDS}
 * @param sampleRate Hz
 */
export function melPicture(samples: Float32Array, sampleRate: number): MelLevels {
  const longest = Math.min(samples.length, Math.round(MOST_SECONDS * sampleRate));
  const wave = new Float32Array(Math.max(SIZE, longest));
  wave.set(samples.subarray(0, longest));
  const bank = melBank(BANDS, SIZE, sampleRate, [40, sampleRate / 2]);
  const transposed = new Float32Array(bank.weights.length);
  for (let band = 0; band < BANDS; band++)
    for (let bin = 0; bin < bank.bins; bin++)
      transposed[bin * BANDS + band] = bank.weights[band * bank.bins + bin] ?? 0;
  const bands = new LogBands(
    {
      // Hann windows sum to half their length: magnitudes come out as 1 for a full-scale sine.
      window: Float32Array.from(
        { length: SIZE },
        (_, i) => ((1 - Math.cos((2 * Math.PI * i) / SIZE)) / 2) * (4 / SIZE),
      ),
      hop: HOP,
      bank: transposed,
      ...{ tiny: 0, floor: FLOOR },
      mean: new Float32Array(BANDS),
      deviation: new Float32Array(BANDS).fill(1),
    },
    wave.length,
  );
  const logs = bands.run(wave, 1);
  const loudest = logs.reduce((most, value) => Math.max(most, value), -RANGE);
  // Nothing but the floor: there is nothing to see.
  const silent = loudest + RANGE < 1e-3;
  return {
    bands: BANDS,
    frames: logs.length / BANDS,
    levels: silent
      ? new Float32Array(logs.length)
      : logs.map((value) => Math.max(0, 1 + (value - loudest) / RANGE)),
  };
}
