/** A queue with one reader: values wait for the reader, and a failure overtakes them. */
export class MessageQueue<T> {
  readonly #values: T[] = [];
  #failure: { reason: unknown } | null = null;
  #wake: (() => void) | null = null;

  push(value: T): void {
    this.#values.push(value);
    this.#wake?.();
  }

  /** Makes this and every later {@link next} reject with `reason`; only the first call counts. */
  fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#wake?.();
  }

  /** The next value, as soon as there is one. */
  async next(): Promise<T> {
    for (;;) {
      if (this.#failure) throw this.#failure.reason;
      const value = this.#values.shift();
      if (value !== undefined) return value;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
