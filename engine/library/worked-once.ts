/** Values that are kept in memory, each worked out once: who asks while it is worked out waits for that. */
export class WorkedOnce<T> {
  readonly #most: number;
  readonly #values = new Map<string, T>();
  readonly #underWay = new Map<string, Promise<T>>();

  /** @param most values that are kept; what was not asked for longest goes */
  constructor(most: number) {
    this.#most = most;
  }

  /** @throws what `make` throws */
  async of(key: string, make: () => Promise<T>): Promise<T> {
    // Whoever began it may let go of it: then it is begun again here, under a signal of one's own.
    for (let other = this.#underWay.get(key); other; other = this.#underWay.get(key))
      await other.catch(() => undefined);
    const known = this.#values.get(key);
    const value = known ?? (await this.#made(key, make));
    this.#values.delete(key);
    this.#values.set(key, value);
    for (const old of this.#values.keys()) {
      if (this.#values.size <= this.#most) break;
      this.#values.delete(old);
    }
    return value;
  }

  async #made(key: string, make: () => Promise<T>): Promise<T> {
    const work = make().finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, work);
    const value = await work;
    this.#values.set(key, value);
    return value;
  }
}
