import type { EngineClient, Input, Output, QueryMethod, StreamMethod } from '../../../engine/api/contract.ts';
import { EngineError } from '../../../engine/api/errors.ts';

/**
 * The engine as one session sees it: when the session ends, what is under way is given up, and what is asked or answered
 * later counts as cancelled. So no step of a closed library (an undo kept in a toast, a chain of calls) reaches the engine.
 */
export class ScopedEngine implements EngineClient {
  readonly #engine: EngineClient;
  readonly #scope: AbortSignal;

  constructor(engine: EngineClient, scope: AbortSignal) {
    this.#engine = engine;
    this.#scope = scope;
  }

  /** @throws EngineError `cancelled` when the session has ended, before or meanwhile. */
  async call<M extends QueryMethod>(
    method: M,
    input: Input<M>,
    options?: { signal?: AbortSignal },
  ): Promise<Output<M>> {
    this.#check();
    const answer = await this.#engine.call(method, input, { signal: this.#within(options?.signal) });
    this.#check();
    return answer;
  }

  async *stream<M extends StreamMethod>(
    method: M,
    input: Input<M>,
    options?: { signal?: AbortSignal },
  ): AsyncGenerator<Output<M>> {
    this.#check();
    for await (const value of this.#engine.stream(method, input, { signal: this.#within(options?.signal) })) {
      this.#check();
      yield value;
    }
  }

  #within(signal: AbortSignal | undefined): AbortSignal {
    return signal ? AbortSignal.any([this.#scope, signal]) : this.#scope;
  }

  #check(): void {
    if (this.#scope.aborted) throw new EngineError('cancelled', 'The library was closed.');
  }
}
