import { Fourier, magnitudes } from './fourier.ts';
import { griffinLim, invertMel } from './griffin-lim.ts';
import { applyBank, melBank, type MelBank } from '../audio/mel-bank.ts';

/** Seconds that a frame is at least: twice the time between frames. 1024 samples at 24 kHz. */
const SHORTEST_FRAME = 0.04;
/** Frames 50 times a second, as in the compact pack's front-end. */
const FRAMES_PER_SECOND = 50;
const BANDS = 128;
/** Added to band magnitudes before the logarithm: −80 dB re a full-scale sine. */
const FLOOR = 1e-4;
const COEFFICIENTS = 20;
/** Frames on each side of the regression that estimates Δ. */
const DELTA_REACH = 4;
/** ln units above digital silence from which a frame counts as heard. */
const HEARD = 0.05;
/** How far under the loudest band of a sound the loudest band of an active frame lies at most: 40 dB. */
const ACTIVE = 0.01;

/** What gives a sound its hand-made features. */
export type Describer = Pick<HandcraftedFeatures, 'describe'>;

/**
 * The hand-made features that a learned embedding has to beat: mean and standard deviation over the audible frames of
 * (a) 128 log-mel bands, (b) 20 MFCC and their Δ.
 */
export class HandcraftedFeatures {
  /** Log-mel bands. */
  static readonly bands = BANDS;
  readonly #fourier: Fourier;
  readonly #bank: MelBank;
  /** Hann windows sum to half their length: magnitudes are scaled so that a full-scale sine has the value 1. */
  readonly #scale: number;

  private constructor(fourier: Fourier, sampleRate: number) {
    this.#fourier = fourier;
    this.#bank = melBank(BANDS, fourier.fftSize, sampleRate);
    this.#scale = 4 / fourier.fftSize;
  }

  /** @param sampleRate Hz of all windows to come. */
  static async open(sampleRate: number): Promise<HandcraftedFeatures> {
    const fftSize = 2 ** Math.ceil(Math.log2(sampleRate * SHORTEST_FRAME));
    const fourier = await Fourier.open(fftSize, Math.round(sampleRate / FRAMES_PER_SECOND));
    return new HandcraftedFeatures(fourier, sampleRate);
  }

  /** Log-mel frames `[frames, 128]` (natural logarithm of band magnitudes). */
  async logMel(samples: Float32Array): Promise<Float32Array> {
    return (await this.#bands(samples)).map((value) => Math.log(value + FLOOR));
  }

  /**
   * The same features of what a sound is like however loud and long it is: at the level where its loudest band is that of
   * a full-scale sine, over the frames that come within 40 dB of it.
   */
  get levelFree(): Describer {
    return {
      describe: async (samples) => {
        const bands = await this.#bands(samples);
        const loudest = bands.reduce((most, value) => Math.max(most, value), 0);
        const gain = loudest > 0 ? 1 / loudest : 0;
        const frames = bands.map((value) => Math.log(gain * value + FLOOR));
        return described(frames, heardFrames(frames, Math.log(ACTIVE)));
      },
    };
  }

  /** `logMel [256]` and `mfcc [80]` of one window. */
  async describe(samples: Float32Array): Promise<{ logMel: Float32Array; mfcc: Float32Array }> {
    const frames = await this.logMel(samples);
    return described(frames, heardFrames(frames, Math.log(FLOOR) + HEARD));
  }

  /** The signal that Griffin-Lim makes of a window's log-mel bands: what a codec has to beat. */
  async rebuild(samples: Float32Array): Promise<Float32Array> {
    const bands = (await this.logMel(samples)).map((value) => Math.max(0, Math.exp(value) - FLOOR));
    const magnitude = invertMel(this.#bank, bands).map((value) => value / this.#scale);
    return griffinLim(this.#fourier, magnitude, samples.length);
  }

  close(): Promise<void> {
    return this.#fourier.close();
  }

  /** Band magnitudes `[frames, 128]`, 1 for a full-scale sine. */
  async #bands(samples: Float32Array): Promise<Float32Array> {
    const spectrum = magnitudes(await this.#fourier.analyse(samples)).map((value) => value * this.#scale);
    return applyBank(this.#bank, spectrum);
  }
}

function described(
  frames: Float32Array,
  heard: readonly number[],
): { logMel: Float32Array; mfcc: Float32Array } {
  const both = withDelta(cosineTransform(frames));
  return { logMel: statistics(frames, BANDS, heard), mfcc: statistics(both, 2 * COEFFICIENTS, heard) };
}

/** Frames with a band above the threshold (ln); all of them when there is none. */
function heardFrames(frames: Float32Array, threshold: number): number[] {
  const count = frames.length / BANDS;
  const all = Array.from({ length: count }, (_, t) => t);
  const heard = all.filter((t) =>
    frames.subarray(t * BANDS, (t + 1) * BANDS).some((value) => value > threshold),
  );
  return heard.length > 0 ? heard : all;
}

/** Orthonormal DCT-II of every row `[frames, 128]`, its first 20 coefficients. */
function cosineTransform(frames: Float32Array): Float32Array {
  const count = frames.length / BANDS;
  const out = new Float32Array(count * COEFFICIENTS);
  for (let c = 0; c < COEFFICIENTS; c++) {
    const norm = Math.sqrt((c === 0 ? 1 : 2) / BANDS);
    const basis = Float64Array.from(
      { length: BANDS },
      (_, b) => norm * Math.cos((Math.PI * c * (b + 0.5)) / BANDS),
    );
    for (let t = 0; t < count; t++) {
      let sum = 0;
      for (let b = 0; b < BANDS; b++) sum += (basis[b] ?? 0) * (frames[t * BANDS + b] ?? 0);
      out[t * COEFFICIENTS + c] = sum;
    }
  }
  return out;
}

/** Appends to every row its slope over ±4 frames (linear regression; the ends repeat). */
function withDelta(cepstra: Float32Array): Float32Array {
  const count = cepstra.length / COEFFICIENTS;
  const out = new Float32Array(2 * cepstra.length);
  let norm = 0;
  for (let j = 1; j <= DELTA_REACH; j++) norm += 2 * j * j;
  const value = (t: number, c: number): number =>
    cepstra[Math.max(0, Math.min(count - 1, t)) * COEFFICIENTS + c] ?? 0;
  for (let t = 0; t < count; t++) {
    for (let c = 0; c < COEFFICIENTS; c++) {
      let slope = 0;
      for (let j = 1; j <= DELTA_REACH; j++) slope += j * (value(t + j, c) - value(t - j, c));
      out[t * 2 * COEFFICIENTS + c] = value(t, c);
      out[t * 2 * COEFFICIENTS + COEFFICIENTS + c] = slope / norm;
    }
  }
  return out;
}

/** Means, then standard deviations, of the chosen rows. */
function statistics(rows: Float32Array, width: number, chosen: readonly number[]): Float32Array {
  const out = new Float32Array(2 * width);
  for (let c = 0; c < width; c++) {
    let [sum, squares] = [0, 0];
    for (const t of chosen) {
      const value = rows[t * width + c] ?? 0;
      sum += value;
      squares += value * value;
    }
    const mean = sum / chosen.length;
    out[c] = mean;
    out[width + c] = Math.sqrt(Math.max(0, squares / chosen.length - mean * mean));
  }
  return out;
}
