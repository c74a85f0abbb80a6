/** Level below which nothing counts as sound, LUFS. */
export const SILENT_LUFS = -70;
/** Blocks of 400 ms, a new one every 100 ms. */
const STEP_SECONDS = 0.1;
const STEPS_PER_BLOCK = 4;
const RELATIVE_GATE = 10;

/** A recursive filter of order two: `b` of the input, `a` of the output, `a0 = 1`. */
class Biquad {
  #x1 = 0;
  #x2 = 0;
  #y1 = 0;
  #y2 = 0;

  constructor(
    readonly b: readonly [number, number, number],
    readonly a: readonly [number, number],
  ) {}

  next(x: number): number {
    const { b, a } = this;
    const y = b[0] * x + b[1] * this.#x1 + b[2] * this.#x2 - a[0] * this.#y1 - a[1] * this.#y2;
    this.#x2 = this.#x1;
    this.#x1 = x;
    this.#y2 = this.#y1;
    this.#y1 = y;
    return y;
  }
}

/**
 * Integrated loudness of one channel after ITU-R BS.1770-4: K-weighting (the recommendation's two filters, worked out for
 * the rate at hand), blocks of 400 ms, gates at −70 LUFS and 10 LU below the mean.
 */
export class Loudness {
  readonly #filters: readonly [Biquad, Biquad];
  readonly #step: number;
  /** Mean squares of steps of 100 ms. */
  readonly #steps: number[] = [];
  #sum = 0;
  #count = 0;

  constructor(sampleRate: number) {
    this.#filters = kWeighting(sampleRate);
    this.#step = Math.round(STEP_SECONDS * sampleRate);
  }

  push(samples: Float32Array): void {
    const [shelf, highPass] = this.#filters;
    for (const sample of samples) {
      const weighted = highPass.next(shelf.next(sample));
      this.#sum += weighted * weighted;
      if (++this.#count < this.#step) continue;
      this.#steps.push(this.#sum / this.#count);
      this.#sum = this.#count = 0;
    }
  }

  /** LUFS, at least −70. */
  result(): number {
    const steps = this.#count > 0 ? [...this.#steps, this.#sum / this.#count] : this.#steps;
    const length = Math.min(STEPS_PER_BLOCK, steps.length);
    const blocks = Array.from({ length: Math.max(0, steps.length - length + 1) }, (_, from) =>
      mean(steps.slice(from, from + length)),
    ).filter((power) => lufs(power) > SILENT_LUFS);
    if (blocks.length === 0) return SILENT_LUFS;
    const gate = lufs(mean(blocks)) - RELATIVE_GATE;
    return lufs(mean(blocks.filter((power) => lufs(power) > gate)));
  }
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const lufs = (power: number): number => (power > 0 ? -0.691 + 10 * Math.log10(power) : -Infinity);

/** The high shelf and the high-pass of K-weighting as analogue prototypes, by the bilinear transform. */
function kWeighting(sampleRate: number): [Biquad, Biquad] {
  const shelf = { hz: 1681.974450955533, gain: 3.999843853973347, q: 0.7071752369554196 };
  const high = 10 ** (shelf.gain / 20);
  const middle = high ** 0.4996667741545416;
  const k = Math.tan((Math.PI * shelf.hz) / sampleRate);
  const a0 = 1 + k / shelf.q + k * k;
  const first = new Biquad(
    [
      (high + (middle * k) / shelf.q + k * k) / a0,
      (2 * (k * k - high)) / a0,
      (high - (middle * k) / shelf.q + k * k) / a0,
    ],
    [(2 * (k * k - 1)) / a0, (1 - k / shelf.q + k * k) / a0],
  );
  const pass = { hz: 38.13547087602444, q: 0.5003270373238773 };
  const l = Math.tan((Math.PI * pass.hz) / sampleRate);
  const c0 = 1 + l / pass.q + l * l;
  return [first, new Biquad([1, -2, 1], [(2 * (l * l - 1)) / c0, (1 - l / pass.q + l * l) / c0])];
}
