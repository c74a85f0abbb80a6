import {
  framesPerGroup,
  openPhaseKernel,
  reservedBytes,
  type PhaseKernel,
} from '../../native/phase/index.ts';

/** How a waveform is looked for whose spectra have given magnitudes. */
export interface PhaseRetrievalSettings {
  /** Samples per frame, a power of two. Frames are weighted with a periodic Hann window. */
  size: number;
  /** Samples between frames, at most `size`. */
  hop: number;
  /** Rounds, each one inverse and (but for the last) one forward transform of every frame. */
  rounds: number;
  /** How far each round goes beyond the last, 0 … below 1 (Perraudin, Balazs and Søndergaard 2013: 0.99). */
  momentum: number;
}

/** Frames `[T, bins]`, bins = size/2 + 1. */
export interface Spectra {
  /** Wanted; a full-scale sine is 1: windows are scaled to sum to 2. */
  magnitude: Float32Array;
  /** To start from; only the phases count. */
  real: Float32Array;
  imaginary: Float32Array;
}

/** Weight of the windows at a sample below which it is not divided by. */
const LEAST_WEIGHT = 2e-5;
/** Rounds between two looks at the signal. */
const ROUNDS_PER_TURN = 12;

/**
 * Fast Griffin-Lim (Perraudin, Balazs and Søndergaard 2013) by a WebAssembly kernel: finds the waveform whose short-time
 * spectra come closest to given magnitudes. One instance serves one number of frames after the other; it holds some
 * 60 bytes for each bin of each frame.
 *
 * @example
 * const retrieval = new PhaseRetrieval({ size: 1024, hop: 480, rounds: 96, momentum: 0.99 }, 200);
 * const samples = await retrieval.run({ magnitude, real, imaginary }); // float32[200 · 480]
 */
export class PhaseRetrieval {
  readonly #settings: PhaseRetrievalSettings;
  readonly #frames: number;
  readonly #groups: number;
  readonly #bins: number;
  readonly #length: number;
  readonly #kernel: PhaseKernel;
  readonly #memory: WebAssembly.Memory;
  readonly #places: Record<
    'analysis' | 'synthesis' | 'weight' | 'wave' | 'spectra' | 'old' | 'wanted',
    number
  >;

  /**
   * @param frames T, at least 1
   * @throws RangeError on sizes that cannot be
   */
  constructor(settings: PhaseRetrievalSettings, frames: number) {
    const { size, hop, rounds, momentum } = settings;
    const whole = [size, hop, rounds, frames].every((value) => Number.isInteger(value) && value > 0);
    if (!whole || size < 16 || (size & (size - 1)) !== 0 || hop > size || !(momentum >= 0 && momentum < 1))
      throw new RangeError(`phase retrieval cannot work with ${JSON.stringify(settings)}`);
    this.#settings = settings;
    this.#frames = frames;
    this.#groups = Math.ceil(frames / framesPerGroup);
    this.#bins = size / 2 + 1;
    const groupFloats = this.#bins * framesPerGroup;
    this.#length = roundUp((this.#groups * framesPerGroup - 1) * hop + size, 4);
    let end = reservedBytes;
    const reserve = (floats: number): number => {
      const place = end;
      end = roundUp(end + 4 * floats, 16);
      return place;
    };
    const twiddles = reserve(size + 2);
    const scratch = [reserve(4 * size), reserve(4 * size)] as const;
    this.#places = {
      analysis: reserve(size),
      synthesis: reserve(size),
      weight: reserve(this.#length),
      wave: reserve(this.#length),
      spectra: reserve(2 * groupFloats * this.#groups),
      old: reserve(2 * groupFloats * this.#groups),
      wanted: reserve(groupFloats * this.#groups),
    };
    this.#memory = new WebAssembly.Memory({ initial: Math.ceil(end / 65_536) });
    this.#kernel = openPhaseKernel(this.#memory);
    this.#kernel.configure(size, twiddles, ...scratch);
    const table = this.#floats(twiddles, size + 2);
    for (let k = 0; k <= size / 2; k++) {
      table[2 * k] = Math.cos((2 * Math.PI * k) / size);
      table[2 * k + 1] = -Math.sin((2 * Math.PI * k) / size);
    }
    this.#layWindows();
  }

  /**
   * The waveform, `[T · hop]`: frame t is centred on the middle of its hop. Beyond full scale it is turned down as a whole.
   * @throws RangeError on arrays of another size; the signal's reason, between rounds
   */
  async run(
    { magnitude, real, imaginary }: Spectra,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<Float32Array> {
    const { size, hop, rounds, momentum } = this.#settings;
    const wanted = this.#frames * this.#bins;
    for (const part of [magnitude, real, imaginary])
      if (part.length !== wanted) throw new RangeError(`${part.length} numbers are not ${wanted}`);
    const { places, groups } = { places: this.#places, groups: this.#groups };
    this.#layFrames(places.wanted, [magnitude]);
    this.#layFrames(places.spectra, [real, imaginary]);
    this.#layFrames(places.old, [real, imaginary]);
    for (let round = 1; round <= rounds; round++) {
      this.#kernel.consistent(
        places.spectra,
        places.wanted,
        groups,
        places.synthesis,
        places.wave,
        places.weight,
        this.#length,
        hop,
      );
      if (round === rounds) break;
      this.#kernel.spectraOf(places.wave, groups, places.analysis, hop, momentum, places.spectra, places.old);
      if (round % ROUNDS_PER_TURN === 0) {
        await new Promise((resolve) => setImmediate(resolve));
        signal?.throwIfAborted();
      }
    }
    const first = (size - hop) >> 1;
    const samples = this.#floats(places.wave, this.#length).slice(first, first + this.#frames * hop);
    let peak = 1;
    for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
    return peak === 1 ? samples : samples.map((sample) => sample / peak);
  }

  /** Windows, and for each sample of the padded wave one over the windows' weight; nothing outside the waveform. */
  #layWindows(): void {
    const { size, hop } = this.#settings;
    const hann = Float64Array.from(
      { length: size },
      (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / size),
    );
    const sum = hann.reduce((total, value) => total + value, 0);
    this.#floats(this.#places.analysis, size).set(hann.map((value) => (2 * value) / sum));
    this.#floats(this.#places.synthesis, size).set(hann.map((value) => (2 * value) / size));
    const weights = new Float64Array(this.#length);
    for (let frame = 0; frame < this.#frames; frame++)
      for (let n = 0; n < size; n++)
        weights[frame * hop + n] = (weights[frame * hop + n] ?? 0) + (2 * (hann[n] ?? 0) ** 2) / sum;
    const first = (size - hop) >> 1;
    const inverse = this.#floats(this.#places.weight, this.#length);
    for (let i = first; i < first + this.#frames * hop; i++)
      inverse[i] = 1 / Math.max(weights[i] ?? 0, LEAST_WEIGHT);
  }

  /** Lays `[T, bins]` arrays out as groups of vectors; lanes without a frame stay zero. */
  #layFrames(place: number, parts: readonly Float32Array[]): void {
    const bins = this.#bins;
    const target = this.#floats(place, this.#groups * bins * framesPerGroup * parts.length);
    target.fill(0);
    for (let frame = 0; frame < this.#frames; frame++) {
      const lane = frame % framesPerGroup;
      const group = (frame - lane) * bins * parts.length;
      for (const [p, part] of parts.entries())
        for (let k = 0; k < bins; k++)
          target[group + (k * parts.length + p) * framesPerGroup + lane] = part[frame * bins + k] ?? 0;
    }
  }

  #floats(place: number, count: number): Float32Array {
    return new Float32Array(this.#memory.buffer, place, count);
  }
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
