import type { EngineClient, Input, Output, QueryMethod, StreamMethod } from '../../../engine/api/contract.ts';
import { EngineError } from '../../../engine/api/errors.ts';

export type EngineStatus = 'starting' | 'ready' | 'restarting';

/** Reactive state is made of proxies, which a message port cannot carry. */
function plain<T>(input: T): T {
  const copy: unknown = $state.snapshot(input);
  return copy as T;
}

/**
 * The window's one way to the engine. It outlives engine processes: calls made while none is there wait for the next
 * one; calls that were under way when it died fail with `engine-restarted`.
 */
export class EngineConnection implements EngineClient {
  status = $state<EngineStatus>('starting');
  #client: EngineClient | null = null;
  #waiting: ((client: EngineClient) => void)[] = [];

  accept(client: EngineClient): void {
    this.#client = client;
    this.status = 'ready';
    for (const resolve of this.#waiting.splice(0)) resolve(client);
  }

  /** The engine process is gone; a new one is on its way. */
  lose(client: EngineClient): void {
    // A late close of an old port says nothing about the present one.
    if (this.#client !== client) return;
    this.#client = null;
    this.status = 'restarting';
  }

  async call<M extends QueryMethod>(
    method: M,
    input: Input<M>,
    options?: { signal?: AbortSignal },
  ): Promise<Output<M>> {
    const client = await this.#ready(options?.signal);
    return client.call(method, plain(input), options);
  }

  async *stream<M extends StreamMethod>(
    method: M,
    input: Input<M>,
    options?: { signal?: AbortSignal },
  ): AsyncGenerator<Output<M>> {
    const client = await this.#ready(options?.signal);
    yield* client.stream(method, plain(input), options);
  }

  #ready(signal: AbortSignal | undefined): Promise<EngineClient> {
    if (this.#client) return Promise.resolve(this.#client);
    return new Promise((resolve, reject) => {
      this.#waiting.push(resolve);
      signal?.addEventListener('abort', () => reject(new EngineError('cancelled', 'Cancelled.')));
    });
  }
}
