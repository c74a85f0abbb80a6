/** Passes values from many writers to one reader; writers wait while `capacity` values are on their way. */
export class Channel<T> implements AsyncIterable<T> {
  readonly #capacity: number;
  readonly #values: T[] = [];
  #closed = false;
  #failure: { reason: unknown } | null = null;
  readonly #wakers: (() => void)[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Resolves once there is room. @throws what `fail` was given */
  async put(value: T): Promise<void> {
    while (this.#values.length >= this.#capacity && !this.#failure) await this.#change();
    if (this.#failure) throw this.#failure.reason;
    this.#values.push(value);
    this.#signal();
  }

  /** No more values come; what is on its way is still read. */
  close(): void {
    this.#closed = true;
    this.#signal();
  }

  /** Both sides stop with this reason. */
  fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#signal();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      if (this.#failure) throw this.#failure.reason;
      const value = this.#values.shift();
      if (value !== undefined) {
        this.#signal();
        yield value;
      } else if (this.#closed) return;
      else await this.#change();
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wakers.push(resolve));
  }

  #signal(): void {
    for (const wake of this.#wakers.splice(0)) wake();
  }
}
