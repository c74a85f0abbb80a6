import { openPolyphaseKernel, reservedBytes, type PolyphaseKernel } from '../../native/resample/index.ts';
import { ensureBytes, makeMemory } from '../numerics/kernel.ts';
import { kaiser } from './kaiser.ts';

/** Zero crossings of the sinc on each side: with β = 12 the stop band lies below −120 dB. */
const CROSSINGS = 36;
const BETA = 12;
/** Cut-off as a fraction of the lower Nyquist frequency; leaves room for the transition band. */
const CUTOFF = 0.955;
/** Up to this many phases the filter bank is exact; above, phases are interpolated from a table of `TABLE_PHASES`. */
const MAX_EXACT_PHASES = 512;
/** Linear interpolation between phases leaves an error of about (π/phases)²/8, below −130 dB. */
const TABLE_PHASES = 2048;
/** Samples of one run of the kernel, in and out: they stay in the processor's cache. */
const RUN = 8192;

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** A bank of filters in the memory of the kernel, with room behind it for the samples of one run. */
interface FilterBank {
  memory: WebAssembly.Memory;
  kernel: PolyphaseKernel;
  /** First address behind the coefficients. */
  end: number;
}

/**
 * One row of filter coefficients per phase; every row sums to 1, so that a constant passes unchanged. Coefficients are
 * rounded to float32 and kept as float64, in which the kernel adds.
 */
function filterBank(rows: number, phases: number, taps: number, cutoff: number): FilterBank {
  const end = reservedBytes + rows * taps * 8;
  const memory = makeMemory(end);
  const bank = new Float64Array(memory.buffer, reservedBytes, rows * taps);
  const half = taps / 2;
  const row = new Float64Array(taps);
  for (let phase = 0; phase < rows; phase++) {
    let sum = 0;
    for (let k = 0; k < taps; k++) {
      const t = k - half + 1 - phase / phases;
      const sinc = t === 0 ? 2 * cutoff : Math.sin(2 * Math.PI * cutoff * t) / (Math.PI * t);
      row[k] = sinc * kaiser(t / half, BETA);
      sum += row[k] ?? 0;
    }
    for (let k = 0; k < taps; k++) bank[phase * taps + k] = Math.fround((row[k] ?? 0) / sum);
  }
  return { memory, kernel: openPolyphaseKernel(memory), end };
}

/** Banks used lately: files of a library have a few rates, and some files change theirs. */
const banks = new Map<string, FilterBank>();
const MAX_BANKS = 8;

function cachedBank(...shape: Parameters<typeof filterBank>): FilterBank {
  const key = shape.join(' ');
  const bank = banks.get(key) ?? filterBank(...shape);
  // Moved to the end: the first one is the one that was not used for longest.
  banks.delete(key);
  banks.set(key, bank);
  const [oldest] = banks.keys();
  if (banks.size > MAX_BANKS && oldest !== undefined) banks.delete(oldest);
  return bank;
}

/**
 * Streaming sample-rate conversion by a polyphase windowed sinc (Kaiser, β = 12; Crochiere & Rabiner, Multirate Digital
 * Signal Processing, §4). Linear phase without delay: output 0 lies at input 0. `n` input samples give exactly
 * ⌈n·to/from⌉ outputs, the same whatever the sizes of the pieces.
 *
 * Own code because it was measured three times faster than libsamplerate in WebAssembly at like quality (before its
 * inner loop became a kernel), and because the resampler of node-web-audio-api lets frequencies above Nyquist through (−2.6 dB at 13.5 kHz for 44.1 → 24 kHz).
 */
export class Resampler {
  /** Rate ratio to/from in lowest terms. */
  readonly #up: number;
  readonly #down: number;
  readonly #taps: number;
  readonly #bank: FilterBank | null;
  /** Phases of the table, or 0 when the bank is exact. */
  readonly #tablePhases: number;
  /** Input samples still needed, starting at input index `#base`. */
  #held: Float32Array;
  #base: number;
  #received = 0;
  #produced = 0;

  /**
   * @param from input rate, positive integer (Hz)
   * @param to output rate, positive integer (Hz)
   * @throws RangeError
   */
  constructor(from: number, to: number) {
    if (!Number.isInteger(from) || !Number.isInteger(to) || from <= 0 || to <= 0) {
      throw new RangeError(`Sample rates must be positive integers, not ${from} and ${to}`);
    }
    const divisor = greatestCommonDivisor(from, to);
    this.#up = to / divisor;
    this.#down = from / divisor;
    const stretch = Math.max(1, from / to);
    // A multiple of 8, so that half of it is even and the inner loop can take four at a time.
    this.#taps = Math.ceil((2 * CROSSINGS * stretch) / 8) * 8;
    const cutoff = (0.5 * CUTOFF) / stretch;
    const exact = this.#up <= MAX_EXACT_PHASES;
    this.#tablePhases = exact ? 0 : TABLE_PHASES;
    if (from === to) this.#bank = null;
    else if (exact) this.#bank = cachedBank(this.#up, this.#up, this.#taps, cutoff);
    else this.#bank = cachedBank(TABLE_PHASES + 1, TABLE_PHASES, this.#taps, cutoff);
    // Before the first sample there is silence.
    this.#base = 1 - this.#taps / 2;
    this.#held = new Float32Array(this.#taps / 2 - 1);
  }

  /** Takes the next samples; returns the outputs that have become final (possibly none). */
  push(chunk: Float32Array): Float32Array {
    if (this.#bank === null) return chunk.slice();
    this.#received += chunk.length;
    // Output n needs inputs up to floor(n·down/up) + taps/2.
    const lastCentre = this.#received - 1 - this.#taps / 2;
    return this.#produce(chunk, lastCentre < 0 ? 0 : Math.ceil(((lastCentre + 1) * this.#up) / this.#down));
  }

  /** Ends the stream: returns the remaining outputs, as if silence followed. Call once. */
  flush(): Float32Array {
    if (this.#bank === null) return new Float32Array(0);
    return this.#produce(
      new Float32Array(this.#taps / 2),
      Math.ceil((this.#received * this.#up) / this.#down),
    );
  }

  /** Computes outputs `[#produced, end)`, a run at a time, and keeps the inputs that later outputs need. */
  #produce(chunk: Float32Array, end: number): Float32Array {
    const out = new Float32Array(Math.max(0, end - this.#produced));
    let written = 0;
    for (let from = 0; from < chunk.length; from += RUN) {
      const inputs = this.#load(chunk.subarray(from, from + RUN));
      const last = from + RUN >= chunk.length;
      const final = Math.ceil(((this.#base + inputs.length - this.#taps / 2) * this.#up) / this.#down);
      written += this.#outputs(inputs, last ? end : Math.min(end, final), out.subarray(written));
    }
    return out;
  }

  /** Samples held and new, side by side in the kernel's memory. */
  #load(chunk: Float32Array): Float64Array {
    const { memory, end } = this.#filters();
    const length = this.#held.length + chunk.length;
    ensureBytes(memory, end + 8 * length + 4 * RUN);
    const inputs = new Float64Array(memory.buffer, end, length);
    inputs.set(this.#held);
    inputs.set(chunk, this.#held.length);
    return inputs;
  }

  /** Writes outputs up to `end` to `target`; returns how many there were. */
  #outputs(inputs: Float64Array, end: number, target: Float32Array): number {
    const { memory, kernel } = this.#filters();
    const { byteOffset } = inputs;
    const address = byteOffset + inputs.byteLength;
    const step = Math.floor(this.#down / this.#up);
    const stepPhase = this.#down - step * this.#up;
    let written = 0;
    while (this.#produced < end) {
      const count = Math.min(RUN, end - this.#produced);
      const [centre, phase] = this.#place();
      const x = byteOffset + 8 * (centre - this.#taps / 2 + 1 - this.#base);
      const shape = [this.#taps, this.#up, step, stepPhase, phase] as const;
      if (this.#tablePhases === 0) kernel.exact(x, reservedBytes, address, count, ...shape);
      else kernel.interpolated(x, reservedBytes, address, count, ...shape, this.#tablePhases);
      target.set(new Float32Array(memory.buffer, address, count), written);
      written += count;
      this.#produced += count;
    }
    const [centre] = this.#place();
    const keep = Math.min(inputs.length, Math.max(0, centre - this.#taps / 2 + 1 - this.#base));
    this.#held = new Float32Array(inputs.subarray(keep));
    this.#base += keep;
    return written;
  }

  /** Input sample at or before the next output, and how far that lies behind it, in parts of 1/up. */
  #place(): [centre: number, phase: number] {
    const start = this.#produced * this.#down;
    const centre = Math.floor(start / this.#up);
    return [centre, start - centre * this.#up];
  }

  #filters(): FilterBank {
    if (this.#bank === null) throw new RangeError('Equal rates need no filters');
    return this.#bank;
  }
}
