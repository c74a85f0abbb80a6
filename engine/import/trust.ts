/** Part of the answers of a worker that is computed again. */
const SHARE = 0.01;

/**
 * Which workers are believed. The first answer of each is computed again, then one in a hundred, chosen so that nobody can
 * foresee which. A worker that answered wrong is not believed any more, nor is what it answered before.
 */
export class Trust {
  readonly #random: () => number;
  readonly #share: number;
  readonly #checked = new Set<string>();
  readonly #aside = new Set<string>();

  constructor(random: () => number = Math.random, share = SHARE) {
    this.#random = random;
    this.#share = share;
  }

  isAside(worker: string): boolean {
    return this.#aside.has(worker);
  }

  setAside(worker: string): void {
    this.#aside.add(worker);
  }

  /** Whether the answer that just came is to be computed again. */
  isDue(worker: string): boolean {
    return !this.#checked.has(worker) || this.#random() < this.#share;
  }

  passed(worker: string): void {
    this.#checked.add(worker);
  }
}
