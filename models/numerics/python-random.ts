import { at } from './vectors.ts';

const size = 624;
const shift = 397;

/**
 * The integers of CPython's `random.Random(seed)`, so that draws recorded from the reference program can be replayed:
 * the Mersenne Twister MT19937 (Matsumoto, Nishimura 1998) and the rejection sampling of the Python documentation.
 * Everything of our own draws from `numerics/random.ts` instead.
 */
export class PythonRandom {
  readonly #state = new Uint32Array(size);
  #next = size;

  /** @param seed whole number from 0 to 2⁵³ − 1. */
  constructor(seed: number) {
    const high = Math.floor(seed / 2 ** 32);
    this.#initialise(high > 0 ? [seed >>> 0, high] : [seed >>> 0]);
  }

  /** 32 random bits as an unsigned integer. */
  bits(): number {
    if (this.#next === size) this.#twist();
    let y = at(this.#state, this.#next++);
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** `Random._randbelow`: uniform integer in `[0, below)`, 1 ≤ below < 2³². */
  below(below: number): number {
    const width = 32 - Math.clz32(below);
    for (;;) {
      const drawn = this.bits() >>> (32 - width);
      if (drawn < below) return drawn;
    }
  }

  /** `random.sample(range(n), k)`: k distinct numbers in the order drawn, 0 ≤ k ≤ n. */
  sample(n: number, k: number): number[] {
    // CPython shuffles a pool when that is smaller than a set of the numbers already taken.
    const setSize = k > 5 ? 21 + 4 ** Math.ceil(Math.log(k * 3) / Math.log(4)) : 21;
    if (n <= setSize) {
      const pool = Array.from({ length: n }, (_, i) => i);
      return Array.from({ length: k }, (_, i) => {
        const place = this.below(n - i);
        const drawn = at(pool, place);
        pool[place] = at(pool, n - i - 1);
        return drawn;
      });
    }
    const taken = new Set<number>();
    while (taken.size < k) taken.add(this.below(n));
    return [...taken];
  }

  /** Seeding from an array of 32-bit words, as published with the generator. */
  #initialise(key: readonly number[]): void {
    const state = this.#state;
    state[0] = 19650218;
    for (let i = 1; i < size; i++) {
      const before = at(state, i - 1);
      state[i] = Math.imul(1812433253, before ^ (before >>> 30)) + i;
    }
    let i = 1;
    const advance = (): void => {
      if (++i < size) return;
      state[0] = at(state, size - 1);
      i = 1;
    };
    const mixed = (factor: number): number => {
      const before = at(state, i - 1);
      return at(state, i) ^ Math.imul(factor, before ^ (before >>> 30));
    };
    for (let j = 0; j < size; j++) {
      state[i] = mixed(1664525) + at(key, j % key.length) + (j % key.length);
      advance();
    }
    for (let j = 1; j < size; j++) {
      state[i] = mixed(1566083941) - i;
      advance();
    }
    state[0] = 0x80000000;
  }

  #twist(): void {
    const state = this.#state;
    for (let i = 0; i < size; i++) {
      const y = (at(state, i) & 0x80000000) | (at(state, (i + 1) % size) & 0x7fffffff);
      state[i] = at(state, (i + shift) % size) ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.#next = 0;
  }
}
