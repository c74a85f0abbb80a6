const UINT32 = 2 ** 32;

/**
 * Seeded pseudo-random numbers: xoshiro128** (Blackman, Vigna 2018) seeded through SplitMix32.
 * The same seed gives the same sequence on every machine. Not for secrets.
 */
export class Random {
  // Four plain fields: the optimiser keeps them as integers, which a typed array's destructuring defeats.
  #a = 0;
  #b = 0;
  #c = 0;
  #d = 0;
  #spare: number | null = null;

  /**
   * @param seed any safe integer; all 53 bits and the sign count.
   * @throws RangeError for anything else.
   */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed)) throw new RangeError(`a seed is an integer, not ${seed}`);
    let x = (Math.abs(seed) % UINT32) | 0;
    const rest = Math.floor(Math.abs(seed) / UINT32) * 2 + (seed < 0 ? 1 : 0);
    const next = (): number => {
      x = (x + 0x9e3779b9) | 0;
      return mix32(x ^ Math.imul(rest, 0x85ebca6b));
    };
    [this.#a, this.#b, this.#c, this.#d] = [next(), next(), next(), next()];
  }

  /** 32 random bits as an unsigned integer. */
  bits(): number {
    const result = Math.imul(rotateLeft(Math.imul(this.#b, 5), 7), 9) >>> 0;
    const shifted = this.#b << 9;
    const c = this.#c ^ this.#a;
    const d = this.#d ^ this.#b;
    this.#b ^= c;
    this.#a ^= d;
    this.#c = c ^ shifted;
    this.#d = rotateLeft(d, 11);
    return result;
  }

  /** Uniform in [0, 1), 53 bits. */
  uniform(): number {
    return ((this.bits() >>> 5) * 2 ** 26 + (this.bits() >>> 6)) / 2 ** 53;
  }

  /** Standard normal, by Marsaglia's polar method. */
  normal(): number {
    if (this.#spare !== null) {
      const spare = this.#spare;
      this.#spare = null;
      return spare;
    }
    for (;;) {
      const u = 2 * this.uniform() - 1;
      const v = 2 * this.uniform() - 1;
      const square = u * u + v * v;
      if (square > 0 && square < 1) {
        const factor = Math.sqrt((-2 * Math.log(square)) / square);
        this.#spare = v * factor;
        return u * factor;
      }
    }
  }

  /**
   * Uniform integer in [0, below), without modulo bias.
   * @throws RangeError unless 1 ≤ below ≤ 2³².
   */
  integer(below: number): number {
    if (!Number.isInteger(below) || below < 1 || below > UINT32) throw new RangeError(`integer(${below})`);
    const limit = UINT32 - (UINT32 % below);
    for (;;) {
      const bits = this.bits();
      if (bits < limit) return bits % below;
    }
  }

  /** A shuffled copy (Fisher–Yates); the input is left as it is. */
  shuffle<T>(xs: readonly T[]): T[] {
    const result = [...xs];
    for (let i = result.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [result[i], result[j]] = [result[j] as T, result[i] as T];
    }
    return result;
  }

  /** `n` standard normals as float32. */
  normals(n: number): Float32Array {
    return Float32Array.from({ length: n }, () => this.normal());
  }
}

function rotateLeft(x: number, k: number): number {
  return (x << k) | (x >>> (32 - k));
}

/** MurmurHash3's finaliser with the SplitMix32 constants. */
function mix32(x: number): number {
  let z = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return z ^ (z >>> 15);
}
