import { AsyncQueue } from './async-queue.ts';
import type { CallOptions, Connection, Contract } from './contract.ts';
import { EngineError } from './errors.ts';
import type { Port } from './port.ts';
import { replySchema } from './protocol.ts';
import type { Reply, Request } from './protocol.ts';
import { hello, versionProblem } from './version.ts';

export interface ConnectOptions {
  /** What pending and later calls fail with when the other side is gone; the reason is the transport's. */
  lost?: (reason?: Error) => Error;
}

interface Pending {
  /** Null once nobody waits for an answer any more. */
  listener: Listener | null;
}
interface Listener {
  next(value: unknown): void;
  end(value: unknown): void;
  fail(error: Error): void;
  alive(): void;
}

/** A client of a contract over a port. */
export function connect<C extends Contract>(
  port: Port,
  contract: C,
  options: ConnectOptions = {},
): Connection<C> {
  const connection = new Wire(port, contract, options.lost ?? gone);
  return connection as unknown as Connection<C>;
}

/** The untyped inside of a {@link Connection}. */
class Wire {
  readonly #port: Port;
  readonly #contract: Contract;
  /** Every call that the other side has not ended. */
  readonly #open = new Map<number, Pending>();
  readonly #idle: (() => void)[] = [];
  #lastId = 0;
  #lost: Error | null = null;
  #greeted = false;

  constructor(port: Port, contract: Contract, lost: (reason?: Error) => Error) {
    this.#port = port;
    this.#contract = contract;
    port.onMessage((message) => {
      const parsed = replySchema.safeParse(message);
      if (parsed.success) this.#receive(parsed.data);
    });
    port.onUnreadable(() => this.#failAll(new EngineError('internal', 'An answer could not be read.')));
    port.onClose((reason) => this.#lose(lost(reason)));
    this.#send(hello);
  }

  async call(method: string, input: unknown, options: CallOptions = {}): Promise<unknown> {
    const value = await new Promise<unknown>((resolve, reject) => {
      const alive = (): void => options.onAlive?.();
      this.#begin(method, input, options, { next: alive, end: resolve, fail: reject, alive });
    });
    return this.#checked(method, value);
  }

  stream(method: string, input: unknown, options: CallOptions = {}): AsyncIterableIterator<unknown, void> {
    const queue = new AsyncQueue<unknown>();
    // Leaving the loop early must stop the other side too.
    const stop = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
    const id = this.#begin(
      method,
      input,
      { ...options, signal },
      {
        next: (value) => {
          queue.push(value);
          options.onAlive?.();
        },
        end: () => queue.end(),
        // A reader that cancelled, or whose other side is gone, wants no more of what still waits.
        fail: (error) => (this.#isCut(error) ? queue.abandon(error) : queue.fail(error)),
        alive: () => options.onAlive?.(),
      },
    );
    const leave = (): void => {
      stop.abort();
      void queue.return();
    };
    let left = false;
    const iterator: AsyncIterableIterator<unknown, void> = {
      next: async () => {
        if (left) return { done: true, value: undefined };
        const item = await queue.next();
        if (item.done) return item;
        if (id !== null && this.#open.get(id)?.listener) this.#send({ type: 'credit', id });
        try {
          return { done: false, value: this.#checked(method, item.value) };
        } catch (thrown) {
          leave();
          throw thrown;
        }
      },
      return: () => {
        left = true;
        leave();
        return Promise.resolve({ done: true, value: undefined });
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  idle(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  close(): void {
    this.#port.close();
  }

  /** @returns the number of the call, or null when it failed before it was sent */
  #begin(method: string, input: unknown, options: CallOptions, listener: Listener): number | null {
    const { signal, transfer } = options;
    if (this.#lost) {
      listener.fail(this.#lost);
      return null;
    }
    if (signal?.aborted) {
      listener.fail(cancelled());
      return null;
    }
    const id = this.#lastId + 1;
    const definition = this.#contract[method];
    const credit = definition?.kind === 'stream' ? { credit: definition.credit } : {};
    const abort = (): void => {
      if (!pending.listener) return;
      finish();
      this.#send({ type: 'abort', id });
      listener.fail(cancelled());
    };
    const finish = (): void => {
      pending.listener = null;
      signal?.removeEventListener('abort', abort);
    };
    const pending: Pending = {
      listener: {
        next: (value) => listener.next(value),
        alive: () => listener.alive(),
        end: (value) => {
          finish();
          listener.end(value);
        },
        fail: (error) => {
          finish();
          listener.fail(error);
        },
      },
    };
    try {
      this.#send({ type: 'call', id, method, input, ...credit }, transfer);
    } catch (thrown) {
      const detail = thrown instanceof Error ? thrown.message : String(thrown);
      listener.fail(new EngineError('bad-input', `${method} cannot be sent: ${detail}`));
      return null;
    }
    this.#lastId = id;
    this.#open.set(id, pending);
    signal?.addEventListener('abort', abort, { once: true });
    return id;
  }

  #receive(reply: Reply): void {
    if (!this.#greeted) {
      const problem = versionProblem(reply.type === 'hello' ? reply.version : undefined);
      if (problem) this.#lose(problem);
      this.#greeted = true;
    }
    if (reply.type === 'hello') return;
    const pending = this.#open.get(reply.id);
    if (!pending) return;
    const { listener } = pending;
    if (reply.type === 'next') listener?.next(reply.value);
    else if (reply.type === 'alive') listener?.alive();
    else {
      this.#open.delete(reply.id);
      if (reply.type === 'error') listener?.fail(EngineError.fromData(reply.error));
      else listener?.end(reply.type === 'result' ? reply.value : undefined);
      if (this.#open.size === 0) this.#tellIdle();
    }
  }

  #checked(method: string, value: unknown): unknown {
    const output = this.#contract[method]?.output;
    if (!output) return value;
    const parsed = output.safeParse(value);
    if (parsed.success) return parsed.data;
    throw new EngineError('internal', `The answer to ${method} is not what it should be.`, '', {
      cause: parsed.error,
    });
  }

  #isCut(error: Error): boolean {
    return error === this.#lost || (error instanceof EngineError && error.code === 'cancelled');
  }

  /** Nothing is answered any more; the first reason counts. */
  #lose(reason: Error): void {
    this.#lost ??= reason;
    this.#failAll(this.#lost);
    this.#open.clear();
    this.#tellIdle();
  }

  #failAll(error: Error): void {
    for (const { listener } of [...this.#open.values()]) listener?.fail(error);
  }

  #tellIdle(): void {
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #send(request: Request, transfer?: readonly Transferable[]): void {
    this.#port.post(request, transfer);
  }
}

const cancelled = (): EngineError => new EngineError('cancelled', 'Cancelled.');
const gone = (reason?: Error): Error =>
  new EngineError(
    'internal',
    reason
      ? `The process that works on this ended: ${reason.message}`
      : 'The process that works on this ended.',
    'Try again.',
    { cause: reason },
  );
