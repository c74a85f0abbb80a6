import type { DecodeLimits } from './limits.ts';

/** Time for messages that already wait to be seen, should this process itself have been busy. */
const SECOND_LOOK_MS = 50;

/** Watches work that somebody else does, and calls `onTimeout` once with the reason when it takes too long. */
export class Watchdog {
  readonly #limits: DecodeLimits;
  readonly #onTimeout: (reason: string) => void;
  #remainingMs: number;
  #runningSince: number | null = null;
  #signs = 0;
  #idle: NodeJS.Timeout | null = null;
  #total: NodeJS.Timeout | null = null;

  constructor(limits: DecodeLimits, onTimeout: (reason: string) => void) {
    this.#limits = limits;
    this.#onTimeout = onTimeout;
    this.#remainingMs = limits.timeoutMs;
  }

  /** Starts or goes on counting; does nothing while counting. */
  resume(): void {
    if (this.#runningSince !== null) return;
    this.#runningSince = performance.now();
    this.#total = setTimeout(
      () => this.#secondLook(`${this.#limits.timeoutMs} ms in all`, false),
      this.#remainingMs,
    );
    this.#armIdle();
  }

  /** A sign of life. */
  progress(): void {
    this.#signs++;
    this.#idle?.refresh();
  }

  /** Stops counting until the next {@link resume}. */
  pause(): void {
    if (this.#runningSince === null) return;
    this.#remainingMs = Math.max(0, this.#remainingMs - (performance.now() - this.#runningSince));
    this.#runningSince = null;
    if (this.#idle) clearTimeout(this.#idle);
    if (this.#total) clearTimeout(this.#total);
  }

  #armIdle(): void {
    this.#idle = setTimeout(
      () => this.#secondLook(`${this.#limits.idleTimeoutMs} ms without progress`, true),
      this.#limits.idleTimeoutMs,
    );
  }

  /** Timers fire before waiting messages are delivered: after a stall of this process, look again before judging. */
  #secondLook(reason: string, forgiveProgress: boolean): void {
    const signs = this.#signs;
    const look = setTimeout(() => {
      if (this.#runningSince === null) return;
      if (forgiveProgress && this.#signs !== signs) {
        this.#armIdle();
        return;
      }
      this.pause();
      this.#onTimeout(reason);
    }, SECOND_LOOK_MS);
    if (forgiveProgress) this.#idle = look;
    else this.#total = look;
  }
}
