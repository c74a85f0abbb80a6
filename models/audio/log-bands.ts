import {
  framesPerGroup,
  openPhaseKernel,
  reservedBytes,
  type PhaseKernel,
} from '../../native/phase/index.ts';

/** How frame features are made of a waveform: logarithms of band magnitudes under a window, each standardised. */
export interface LogBandsSettings {
  /** `[size]`, a power of two from 16: what each frame is multiplied by. */
  window: Float32Array;
  /** Samples between frames, at most the window's. Frame t is centred on the middle of its hop; outside are zeros. */
  hop: number;
  /** `[size/2 + 1, bands]`: the share of every bin's magnitude in every band. */
  bank: Float32Array;
  /** Added to a bin's power before the root is taken. */
  tiny: number;
  /** Added to a band's magnitude before the logarithm is taken. */
  floor: number;
  /** `[bands]`, taken from the logarithms. */
  mean: Float32Array;
  /** `[bands]`: what they are divided by then. */
  deviation: Float32Array;
}

/**
 * Frame features by a fast Fourier transform in WebAssembly: what the matrix products of a pack's `features` graph compute,
 * at a fraction of their work and memory traffic. One instance serves waveforms of one length, one after the other.
 */
export class LogBands {
  readonly #memory: WebAssembly.Memory;
  readonly #kernel: PhaseKernel;
  readonly #settings: LogBandsSettings;
  readonly #samples: number;
  readonly #frames: number;
  readonly #groups: number;
  readonly #places: Record<
    'window' | 'magnitudes' | 'spans' | 'weights' | 'means' | 'deviations' | 'wave' | 'out',
    number
  >;

  /**
   * @param samples of a waveform; what is left of the last hop is not looked at
   * @throws RangeError when the settings do not fit each other
   */
  constructor(settings: LogBandsSettings, samples: number) {
    const { window, hop, bank, mean, deviation } = settings;
    const size = window.length;
    const bins = size / 2 + 1;
    if (size < 16 || !Number.isInteger(Math.log2(size)))
      throw new RangeError(`${size} is not a power of two from 16`);
    if (!Number.isInteger(hop) || hop < 1 || hop > size)
      throw new RangeError(`a hop of ${hop} is not 1…${size}`);
    if (bank.length !== bins * mean.length || deviation.length !== mean.length)
      throw new RangeError('the bands do not fit the window');
    this.#settings = settings;
    this.#samples = samples;
    this.#frames = Math.floor(samples / hop);
    this.#groups = Math.ceil(this.#frames / framesPerGroup);
    const { spans, weights } = spansOf(bank, bins, mean.length);
    let end = reservedBytes;
    const reserve = (floats: number): number => {
      const place = end;
      end = Math.ceil((end + 4 * floats) / 16) * 16;
      return place;
    };
    const twiddles = reserve(size + 2);
    const scratch = [reserve(4 * size), reserve(4 * size)] as const;
    this.#places = {
      window: reserve(size),
      magnitudes: reserve(framesPerGroup * bins),
      spans: reserve(spans.length),
      weights: reserve(weights.length),
      means: reserve(mean.length),
      deviations: reserve(mean.length),
      wave: reserve((this.#groups * framesPerGroup - 1) * hop + size),
      out: reserve(this.#groups * framesPerGroup * mean.length),
    };
    this.#memory = new WebAssembly.Memory({ initial: Math.ceil(end / 65_536) });
    this.#kernel = openPhaseKernel(this.#memory);
    this.#kernel.configure(size, twiddles, ...scratch);
    const table = this.#floats(twiddles, size + 2);
    for (let k = 0; k <= size / 2; k++) {
      table[2 * k] = Math.cos((2 * Math.PI * k) / size);
      table[2 * k + 1] = -Math.sin((2 * Math.PI * k) / size);
    }
    this.#floats(this.#places.window, size).set(window);
    new Int32Array(this.#memory.buffer, this.#places.spans, spans.length).set(spans);
    this.#floats(this.#places.weights, weights.length).set(weights);
    this.#floats(this.#places.means, mean.length).set(mean);
    this.#floats(this.#places.deviations, mean.length).set(deviation);
  }

  /**
   * Features `[batch, T, bands]` of waveforms `[batch, samples]`, T = ⌊samples / hop⌋.
   * @throws RangeError on another number of samples or no batch
   */
  run(waveforms: Float32Array, batch: number): Float32Array {
    if (!Number.isInteger(batch) || batch < 1)
      throw new RangeError(`batch ${batch} is not a positive integer`);
    if (waveforms.length !== batch * this.#samples)
      throw new RangeError(`${waveforms.length} samples are not ${batch} × ${this.#samples}`);
    const { window, hop, mean, tiny, floor } = this.#settings;
    const places = this.#places;
    const each = this.#frames * mean.length;
    const features = new Float32Array(batch * each);
    const first = (window.length - hop) >> 1;
    // What lies around the samples stays zero from one waveform to the next.
    const wave = this.#floats(places.wave + 4 * first, this.#frames * hop);
    const out = this.#floats(places.out, each);
    for (let i = 0; i < batch; i++) {
      wave.set(waveforms.subarray(i * this.#samples, i * this.#samples + wave.length));
      this.#kernel.bands(
        places.wave,
        this.#groups,
        places.window,
        hop,
        places.magnitudes,
        tiny,
        mean.length,
        places.spans,
        places.weights,
        floor,
        places.means,
        places.deviations,
        places.out,
      );
      features.set(out, i * each);
    }
    return features;
  }

  #floats(place: number, count: number): Float32Array {
    return new Float32Array(this.#memory.buffer, place, count);
  }
}

/** Bands are zero outside of a few bins: first bin and number of bins of each, and the weights in between. */
function spansOf(
  bank: Float32Array,
  bins: number,
  bands: number,
): { spans: Int32Array; weights: Float32Array } {
  const spans = new Int32Array(2 * bands);
  const weights: number[] = [];
  for (let band = 0; band < bands; band++) {
    const share = (bin: number): number => bank[bin * bands + band] ?? 0;
    let [first, last] = [0, bins - 1];
    while (first < bins && share(first) === 0) first++;
    while (last > first && share(last) === 0) last--;
    if (first === bins) continue;
    spans[2 * band] = first;
    spans[2 * band + 1] = last - first + 1;
    for (let bin = first; bin <= last; bin++) weights.push(share(bin));
  }
  return { spans, weights: Float32Array.from(weights) };
}
