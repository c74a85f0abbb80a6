/** Hands the newest value to one reader; values that it had no time for are skipped. */
export class Latest<T> implements AsyncIterable<T> {
  #value: { value: T } | null = null;
  #closed = false;
  #wake: () => void = () => undefined;

  put(value: T): void {
    this.#value = { value };
    this.#wake();
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const next = this.#value;
      this.#value = null;
      if (next) yield next.value;
      else if (this.#closed) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
