import type { EngineEvent } from './api/app.ts';

export interface EventBus {
  emit(event: EngineEvent): void;
  /** Events from now on, until the signal aborts. */
  subscribe(signal: AbortSignal): AsyncIterable<EngineEvent>;
}
import { AsyncQueue } from './wire/async-queue.ts';

/** Hands every event to every subscriber, each at its own pace. */
export class Events implements EventBus {
  readonly #subscriptions = new Set<AsyncQueue<EngineEvent>>();

  emit(event: EngineEvent): void {
    for (const queue of this.#subscriptions) {
      // A slow reader must not pile up progress: only the newest state of a job is worth telling.
      if (event.type === 'job')
        queue.remove((earlier) => earlier.type === 'job' && earlier.job.id === event.job.id);
      queue.push(event);
    }
  }

  subscribe(signal: AbortSignal): AsyncIterable<EngineEvent> {
    // Registered now, not at the first read, so that nothing emitted in between is lost.
    const queue = new AsyncQueue<EngineEvent>();
    const leave = (): void => {
      this.#subscriptions.delete(queue);
      void queue.return();
    };
    if (signal.aborted) leave();
    else this.#subscriptions.add(queue);
    signal.addEventListener('abort', leave, { once: true });
    return this.#read(queue, signal, leave);
  }

  async *#read(
    queue: AsyncQueue<EngineEvent>,
    signal: AbortSignal,
    leave: () => void,
  ): AsyncGenerator<EngineEvent> {
    try {
      for await (const event of queue) yield event;
    } finally {
      signal.removeEventListener('abort', leave);
      leave();
    }
  }
}
