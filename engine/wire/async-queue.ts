/**
 * Values on their way from writers to one reader, in order. The reader waits for values; writers that use
 * {@link put} wait while `capacity` values are on their way.
 */
export class AsyncQueue<T> implements AsyncIterableIterator<T, void> {
  readonly #capacity: number;
  readonly #values: T[] = [];
  #over: { failure: { reason: unknown } | null } | null = null;
  readonly #wakers: (() => void)[] = [];

  constructor(capacity = Infinity) {
    this.#capacity = capacity;
  }

  /** Values that wait for the reader. */
  get size(): number {
    return this.#values.length;
  }

  /** Adds a value without waiting; nothing happens once the queue has ended. */
  push(value: T): void {
    if (this.#over) return;
    this.#values.push(value);
    this.#wake();
  }

  /** Adds a value as soon as there is room. @throws the reason of {@link fail} or {@link abandon} */
  async put(value: T): Promise<void> {
    while (this.#values.length >= this.#capacity && !this.#over) await this.#change();
    if (this.#over?.failure) throw this.#over.failure.reason;
    this.push(value);
  }

  /** No more values come; those that wait are still read. */
  end(): void {
    this.#finish(null);
  }

  /** No more values come: the reader gets those that wait, then this reason. Only the first ending counts. */
  fail(reason: unknown): void {
    this.#finish({ reason });
  }

  /** Like {@link fail}, but at once: values that wait are dropped, also when the queue had ended already. */
  abandon(reason: unknown): void {
    this.#values.length = 0;
    if (!this.#over?.failure) this.#over = { failure: { reason } };
    this.#wake();
  }

  /** Takes out a value that waits and is out of date. */
  remove(isOutOfDate: (value: T) => boolean): void {
    const at = this.#values.findIndex(isOutOfDate);
    if (at >= 0) this.#values.splice(at, 1);
  }

  async next(): Promise<IteratorResult<T, void>> {
    for (;;) {
      if (this.#values.length > 0) {
        // There is one: the length was just looked at.
        const value = this.#values.shift() as T;
        this.#wake();
        return { done: false, value };
      }
      if (this.#over?.failure) throw this.#over.failure.reason;
      if (this.#over) return { done: true, value: undefined };
      await this.#change();
    }
  }

  /** The reader leaves early. */
  return(): Promise<IteratorResult<T, void>> {
    this.#values.length = 0;
    this.#finish(null);
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #finish(failure: { reason: unknown } | null): void {
    this.#over ??= { failure };
    this.#wake();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wakers.push(resolve));
  }

  #wake(): void {
    for (const wake of this.#wakers.splice(0)) wake();
  }
}
