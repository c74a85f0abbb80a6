import { setImmediate } from 'node:timers/promises';

/** Longest stretch of computing before calls, events and cancellation get their turn. */
const TURN_MS = 20;

/**
 * For long loops on the engine's only JavaScript thread: the returned function waits for one turn of the event loop
 * when the last turn was long ago, and stops the loop when it was cancelled.
 * @throws the signal's reason
 */
export function breather(signal: AbortSignal): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last > TURN_MS) {
      await setImmediate();
      last = performance.now();
    }
    signal.throwIfAborted();
  };
}
