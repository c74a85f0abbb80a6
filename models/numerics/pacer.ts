import { setImmediate as nextTurn } from 'node:timers/promises';

/** Longest uninterrupted stretch of work, in milliseconds: well under the 50 ms the engine may block. */
const sliceMs = 12;
/** Work units (about one arithmetic operation each) between two looks at the clock. */
const unitsPerLook = 1 << 17;

/**
 * Keeps long synchronous loops cooperative: count work with {@link Pacer.due}, and await {@link Pacer.pause}
 * when it says so. Between two pauses the event loop handles messages, so that an abort arrives promptly.
 */
export class Pacer {
  readonly signal: AbortSignal | undefined;
  #units = 0;
  #sliceStart = performance.now();

  constructor(signal?: AbortSignal) {
    this.signal = signal;
    signal?.throwIfAborted();
  }

  /** Adds `units` of work; true when it is time to {@link pause}. Cheap enough for inner loops. */
  due(units: number): boolean {
    this.#units += units;
    if (this.#units < unitsPerLook) return false;
    this.#units = 0;
    return performance.now() - this.#sliceStart > sliceMs;
  }

  /** Lets the event loop turn once. @throws the signal's reason when it has been aborted. */
  async pause(): Promise<void> {
    this.signal?.throwIfAborted();
    await nextTurn();
    this.signal?.throwIfAborted();
    this.#units = 0;
    this.#sliceStart = performance.now();
  }
}
