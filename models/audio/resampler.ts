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

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** One row of filter coefficients per phase; every row sums to 1, so that a constant passes unchanged. */
function filterBank(rows: number, phases: number, taps: number, cutoff: number): Float32Array {
  const bank = new Float32Array(rows * taps);
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
    for (let k = 0; k < taps; k++) bank[phase * taps + k] = (row[k] ?? 0) / sum;
  }
  return bank;
}

/** Banks in use lately: a file of many parts goes to and fro between a few rates. */
const banks = new Map<string, Float32Array>();
const MAX_BANKS = 8;

function cachedBank(...shape: Parameters<typeof filterBank>): Float32Array {
  const key = shape.join(' ');
  const bank = banks.get(key) ?? filterBank(...shape);
  // Moved to the end: the first one is the one that was not used for longest.
  banks.delete(key);
  banks.set(key, bank);
  const [oldest] = banks.keys();
  if (banks.size > MAX_BANKS && oldest !== undefined) banks.delete(oldest);
  return bank;
}

/* This loop runs for every output sample: its indices are in range by construction, and a `?? 0` in it costs a third of
   the speed, hence the non-null assertions. */
/* eslint-disable @typescript-eslint/no-non-null-assertion */
function dot(x: Float32Array, xo: number, h: Float32Array, ho: number, taps: number): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (let k = 0; k < taps; k += 4) {
    a += x[xo + k]! * h[ho + k]!;
    b += x[xo + k + 1]! * h[ho + k + 1]!;
    c += x[xo + k + 2]! * h[ho + k + 2]!;
    d += x[xo + k + 3]! * h[ho + k + 3]!;
  }
  return a + b + (c + d);
}
/* eslint-enable @typescript-eslint/no-non-null-assertion */

/**
 * Streaming sample-rate conversion by a polyphase windowed sinc (Kaiser, β = 12; Crochiere & Rabiner, Multirate Digital
 * Signal Processing, §4). Linear phase without delay: output 0 lies at input 0. `n` input samples give exactly
 * ⌈n·to/from⌉ outputs, the same whatever the sizes of the pieces.
 *
 * Own code because it was measured three times faster than libsamplerate in WebAssembly at like quality, and because
 * the resampler of node-web-audio-api lets frequencies above Nyquist through (−2.6 dB at 13.5 kHz for 44.1 → 24 kHz).
 */
export class Resampler {
  /** Rate ratio to/from in lowest terms. */
  readonly #up: number;
  readonly #down: number;
  readonly #taps: number;
  readonly #bank: Float32Array;
  /** Phases of the table, or 0 when the bank is exact. */
  readonly #tablePhases: number;
  /** Input samples still needed, starting at input index `#base`. */
  #pending: Float32Array;
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
    if (from === to) this.#bank = new Float32Array(0);
    else if (exact) this.#bank = cachedBank(this.#up, this.#up, this.#taps, cutoff);
    else this.#bank = cachedBank(TABLE_PHASES + 1, TABLE_PHASES, this.#taps, cutoff);
    // Before the first sample there is silence.
    this.#base = 1 - this.#taps / 2;
    this.#pending = new Float32Array(this.#taps / 2 - 1);
  }

  /** Takes the next samples; returns the outputs that have become final (possibly none). */
  push(chunk: Float32Array): Float32Array {
    if (this.#up === this.#down) return chunk.slice();
    this.#append(chunk);
    this.#received += chunk.length;
    // Output n needs inputs up to floor(n·down/up) + taps/2.
    const lastCentre = this.#received - 1 - this.#taps / 2;
    return this.#produce(lastCentre < 0 ? 0 : Math.ceil(((lastCentre + 1) * this.#up) / this.#down));
  }

  /** Ends the stream: returns the remaining outputs, as if silence followed. Call once. */
  flush(): Float32Array {
    if (this.#up === this.#down) return new Float32Array(0);
    this.#append(new Float32Array(this.#taps / 2));
    return this.#produce(Math.ceil((this.#received * this.#up) / this.#down));
  }

  #append(chunk: Float32Array): void {
    const joined = new Float32Array(this.#pending.length + chunk.length);
    joined.set(this.#pending);
    joined.set(chunk, this.#pending.length);
    this.#pending = joined;
  }

  /** Computes outputs `[#produced, end)` and forgets the inputs that no later output needs. */
  #produce(end: number): Float32Array {
    const out = new Float32Array(Math.max(0, end - this.#produced));
    const start = this.#produced * this.#down;
    let centre = Math.floor(start / this.#up);
    let phase = start - centre * this.#up;
    const step = Math.floor(this.#down / this.#up);
    const stepPhase = this.#down - step * this.#up;
    for (let i = 0; i < out.length; i++) {
      out[i] = this.#at(centre, phase);
      centre += step;
      phase += stepPhase;
      if (phase >= this.#up) {
        phase -= this.#up;
        centre++;
      }
    }
    this.#produced += out.length;
    const keep = Math.min(this.#pending.length, Math.max(0, centre - this.#taps / 2 + 1 - this.#base));
    this.#pending = this.#pending.slice(keep);
    this.#base += keep;
    return out;
  }

  #at(centre: number, phase: number): number {
    const offset = centre - this.#taps / 2 + 1 - this.#base;
    const taps = this.#taps;
    if (this.#tablePhases === 0) return dot(this.#pending, offset, this.#bank, phase * taps, taps);
    const position = (phase / this.#up) * this.#tablePhases;
    const row = Math.floor(position);
    const mix = position - row;
    const low = dot(this.#pending, offset, this.#bank, row * taps, taps);
    const high = dot(this.#pending, offset, this.#bank, (row + 1) * taps, taps);
    return low + mix * (high - low);
  }
}
