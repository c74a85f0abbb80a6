/** How the engine is started again after it died. */
export interface Restart {
  delayMs: number;
  /** Nothing that was under way is taken up by itself: it may be what ends the engine. */
  safeStart: boolean;
}

const minuteMs = 60_000;
const deathsUntilSafe = 3;
const firstDelayMs = 200;
const longestDelayMs = 30_000;

/**
 * Decides when and how a dead engine is started again: at once at first, within two seconds; from the third death within
 * a minute on without resuming anything, and each time after a longer wait.
 */
export class RestartPolicy {
  private deaths: number[] = [];

  /** @param now milliseconds on any clock that only goes forward */
  died(now: number): Restart {
    this.deaths = [...this.deaths.filter((then) => now - then < minuteMs), now];
    const count = this.deaths.length;
    return {
      delayMs: Math.min(firstDelayMs * 3 ** (count - 1), longestDelayMs),
      safeStart: count >= deathsUntilSafe,
    };
  }
}
