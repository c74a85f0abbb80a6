/** Lowest and highest sample per slice of time, for drawing a waveform. */
export class PeakAccumulator {
  readonly #samplesPerPeak: number;
  #peaks = new Float32Array(1024);
  #count = 0;
  #position = 0;
  #sliceEnd: number;
  #low = Infinity;
  #high = -Infinity;

  /**
   * @param sampleRate Hz
   * @param perSecond slices per second, at most `sampleRate`; slices differ by one sample when it does not divide the rate
   * @throws RangeError
   */
  constructor(sampleRate: number, perSecond: number) {
    if (!(perSecond > 0 && sampleRate >= perSecond)) {
      throw new RangeError(`Cannot take ${perSecond} peaks per second at ${sampleRate} Hz`);
    }
    this.#samplesPerPeak = sampleRate / perSecond;
    this.#sliceEnd = Math.round(this.#samplesPerPeak);
  }

  push(mono: Float32Array): void {
    for (let from = 0; from < mono.length;) {
      const to = Math.min(mono.length, from + this.#sliceEnd - this.#position);
      let [low, high] = [this.#low, this.#high];
      for (let i = from; i < to; i++) {
        const sample = mono[i] ?? 0;
        if (sample < low) low = sample;
        if (sample > high) high = sample;
      }
      [this.#low, this.#high] = [low, high];
      this.#position += to - from;
      from = to;
      if (this.#position >= this.#sliceEnd) this.#close();
    }
  }

  /** @returns `[min, max, min, max, …]`, the last slice possibly shorter; empty without samples */
  finish(): Float32Array {
    if (this.#high >= this.#low) this.#close();
    return this.#peaks.slice(0, this.#count * 2);
  }

  #close(): void {
    if (this.#count * 2 === this.#peaks.length) {
      const larger = new Float32Array(this.#peaks.length * 2);
      larger.set(this.#peaks);
      this.#peaks = larger;
    }
    this.#peaks[this.#count * 2] = this.#low;
    this.#peaks[this.#count * 2 + 1] = this.#high;
    this.#count++;
    this.#sliceEnd = Math.round((this.#count + 1) * this.#samplesPerPeak);
    this.#low = Infinity;
    this.#high = -Infinity;
  }
}
