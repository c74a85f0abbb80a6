/** Runs at once, then at most once per interval; a call in between is made good at the interval's end. */
export class Throttle {
  #timer: ReturnType<typeof setTimeout> | null = null;
  #again = false;

  constructor(
    private readonly intervalMs: number,
    private readonly work: () => void,
  ) {}

  /** Forgets the call that was to be made good. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#again = false;
  }

  call(): void {
    if (this.#timer !== null) {
      this.#again = true;
      return;
    }
    this.work();
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.#again) {
        this.#again = false;
        this.call();
      }
    }, this.intervalMs);
  }
}
