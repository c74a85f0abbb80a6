import { at } from '../knn/vectors.ts';

const size = 624;
const middle = 397;

/**
 * The Mersenne Twister MT19937 (Matsumoto & Nishimura 1998), seeded and drawn from as Python's `random` does it.
 * Only to repeat the draws of a published program; everything else uses `Random`.
 */
export class MersenneTwister {
  readonly #state = new Uint32Array(size);
  #next = size;

  /** @param seed 0 ≤ seed < 2³² */
  constructor(seed: number) {
    const state = this.#state;
    state[0] = 19650218;
    for (let i = 1; i < size; i++)
      state[i] = Math.imul(1812433253, at(state, i - 1) ^ (at(state, i - 1) >>> 30)) + i;
    let i = 1;
    const mixed = (factor: number): number =>
      at(state, i) ^ Math.imul(at(state, i - 1) ^ (at(state, i - 1) >>> 30), factor);
    const step = (): void => {
      if (++i < size) return;
      state[0] = at(state, size - 1);
      i = 1;
    };
    for (let k = 0; k < size; k++) {
      state[i] = mixed(1664525) + seed;
      step();
    }
    for (let k = 1; k < size; k++) {
      state[i] = mixed(1566083941) - i;
      step();
    }
    state[0] = 0x80000000;
  }

  /** 32 random bits as an unsigned integer. */
  bits(): number {
    if (this.#next === size) this.#refill();
    let y = at(this.#state, this.#next++);
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** Uniform integer in [0, below), as `random.choice` picks an index. @param below 1 … 2³² − 1 */
  integer(below: number): number {
    const shift = Math.clz32(below);
    for (;;) {
      const drawn = this.bits() >>> shift;
      if (drawn < below) return drawn;
    }
  }

  #refill(): void {
    const state = this.#state;
    for (let k = 0; k < size; k++) {
      const y = (at(state, k) & 0x80000000) | (at(state, (k + 1) % size) & 0x7fffffff);
      state[k] = at(state, (k + middle) % size) ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.#next = 0;
  }
}
