import type { EngineEvent } from './api/domain.ts';

export interface EventBus {
  emit(event: EngineEvent): void;
  /** Events from now on, until the signal aborts. */
  subscribe(signal: AbortSignal): AsyncIterable<EngineEvent>;
}

class Subscription {
  readonly #waiting: EngineEvent[] = [];
  #wake: () => void = () => undefined;

  push(event: EngineEvent): void {
    // A slow reader must not pile up progress: only the newest state of a job is worth telling.
    const last = event.type === 'job' ? this.#indexOfJob(event.job.id) : -1;
    if (last >= 0) this.#waiting.splice(last, 1);
    this.#waiting.push(event);
    this.wake();
  }

  wake(): void {
    this.#wake();
  }

  take(): EngineEvent | undefined {
    return this.#waiting.shift();
  }

  async wait(): Promise<void> {
    await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  #indexOfJob(id: string): number {
    return this.#waiting.findIndex((event) => event.type === 'job' && event.job.id === id);
  }
}

/** Hands every event to every subscriber, each at its own pace. */
export class Events implements EventBus {
  readonly #subscriptions = new Set<Subscription>();

  emit(event: EngineEvent): void {
    for (const subscription of this.#subscriptions) subscription.push(event);
  }

  subscribe(signal: AbortSignal): AsyncIterable<EngineEvent> {
    // Registered now, not at the first read, so that nothing emitted in between is lost.
    const subscription = new Subscription();
    if (!signal.aborted) this.#subscriptions.add(subscription);
    const leave = (): void => {
      this.#subscriptions.delete(subscription);
      subscription.wake();
    };
    signal.addEventListener('abort', leave, { once: true });
    return this.#read(subscription, signal, leave);
  }

  async *#read(
    subscription: Subscription,
    signal: AbortSignal,
    leave: () => void,
  ): AsyncGenerator<EngineEvent> {
    try {
      while (!signal.aborted) {
        const event = subscription.take();
        if (event) yield event;
        else await subscription.wait();
      }
    } finally {
      signal.removeEventListener('abort', leave);
      leave();
    }
  }
}
