import type { Input } from '../../../engine/api/contract.ts';
import { EngineError } from '../../../engine/api/errors.ts';
import type { QueueConnection, QueueStatus } from '../../../engine/api/queue.ts';
import type { EngineConnection } from '../shell/engine.svelte.ts';

/** A server that went away is looked for again after so long. */
const AGAIN_MS = 5000;

/** The queue that is connected, and who works there while somebody looks. */
export class Helpers {
  /** Undefined until the engine has told it; null: none is connected. */
  connection = $state.raw<QueueConnection | null | undefined>(undefined);
  /** Null until it has been looked at. */
  status = $state.raw<QueueStatus | null>(null);
  /** Why it cannot be looked at. */
  problem = $state.raw<EngineError | null>(null);
  readonly #engine: EngineConnection;
  #watchers = 0;
  #stop: AbortController | null = null;

  constructor(engine: EngineConnection) {
    this.#engine = engine;
  }

  /** @throws EngineError */
  async load(): Promise<void> {
    this.connection = await this.#engine.call('queue.get', {});
  }

  /** @throws EngineError where the queue does not let this machine in */
  async connect(input: Input<'queue.connect'>): Promise<void> {
    this.connection = await this.#engine.call('queue.connect', input);
    this.#restart();
  }

  /** @throws EngineError */
  async disconnect(): Promise<void> {
    await this.#engine.call('queue.disconnect', {});
    this.connection = null;
    this.#restart();
  }

  /** Looks at the queue as long as somebody watches. @returns ends it */
  watch(): () => void {
    this.#watchers++;
    if (this.#watchers === 1) this.#restart();
    return () => {
      this.#watchers--;
      if (this.#watchers === 0) this.#restart();
    };
  }

  #restart(): void {
    this.#stop?.abort();
    this.#stop = null;
    this.status = null;
    this.problem = null;
    if (this.#watchers === 0 || !this.connection) return;
    const stop = new AbortController();
    this.#stop = stop;
    void this.#look(stop.signal);
  }

  async #look(signal: AbortSignal): Promise<void> {
    const over = (): boolean => signal.aborted;
    while (!over()) {
      try {
        for await (const status of this.#engine.stream('queue.watch', {}, { signal })) {
          if (over()) return;
          this.status = status;
          this.problem = null;
        }
      } catch (thrown) {
        if (over()) return;
        this.status = null;
        this.problem = EngineError.from(thrown);
      }
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}
