/**
 * Carries the contract over a message port: every message is plain structured-clone data, parsed on arrival on both sides.
 * client → server: call, abort · server → client: result, next, end, error.
 */
import { z } from 'zod';
import type { EngineClient, Handlers, Method } from './contract.ts';
import { contract } from './contract.ts';
import { handlerOf, isMethod, parseInput } from './dispatch.ts';
import { EngineError, engineErrorSchema } from './errors.ts';

/** The part that browser, Node and Electron ports have in common. */
export interface Port {
  post(message: unknown): void;
  onMessage(handler: (message: unknown) => void): void;
  onClose(handler: () => void): void;
  close(): void;
}

const requestSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('call'),
    id: z.int().min(0),
    method: z.string().max(60),
    input: z.unknown(),
  }),
  z.strictObject({ type: z.literal('abort'), id: z.int().min(0) }),
]);

const responseSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('result'), id: z.int(), value: z.unknown() }),
  z.object({ type: z.literal('next'), id: z.int(), value: z.unknown() }),
  z.object({ type: z.literal('end'), id: z.int() }),
  z.object({ type: z.literal('error'), id: z.int(), error: engineErrorSchema }),
]);

/** Serves the handlers to one port until it closes; what was running for it is aborted then. */
export function serve(port: Port, handlers: Handlers): void {
  const running = new Map<number, AbortController>();

  const run = async (id: number, method: Method, input: unknown): Promise<void> => {
    const controller = new AbortController();
    running.set(id, controller);
    try {
      const answer = handlerOf(handlers, method)(parseInput(method, input), { signal: controller.signal });
      if (contract[method].kind === 'query') {
        port.post({ type: 'result', id, value: await answer });
      } else {
        for await (const value of answer as AsyncIterable<unknown>) {
          if (controller.signal.aborted) break;
          port.post({ type: 'next', id, value });
        }
        port.post({ type: 'end', id });
      }
    } catch (thrown) {
      port.post({ type: 'error', id, error: EngineError.from(thrown).toData() });
    } finally {
      running.delete(id);
    }
  };

  port.onMessage((message) => {
    const parsed = requestSchema.safeParse(message);
    // Not one of ours: there is no id to answer to.
    if (!parsed.success) return;
    const request = parsed.data;
    if (request.type === 'abort') {
      running.get(request.id)?.abort();
    } else if (!isMethod(request.method)) {
      const error = new EngineError('bad-input', `Unknown method ${request.method}`);
      port.post({ type: 'error', id: request.id, error: error.toData() });
    } else {
      void run(request.id, request.method, request.input);
    }
  });
  port.onClose(() => {
    for (const controller of running.values()) controller.abort();
  });
}

interface Pending {
  next(value: unknown): void;
  end(value: unknown): void;
  fail(error: EngineError): void;
}

/** A client over a port. When the port closes, everything pending fails with `engine-restarted`. */
export function connect(port: Port): EngineClient {
  const pending = new Map<number, Pending>();
  let lastId = 0;
  let closed = false;

  port.onMessage((message) => {
    const parsed = responseSchema.safeParse(message);
    if (!parsed.success) return;
    const response = parsed.data;
    const call = pending.get(response.id);
    if (!call) return;
    if (response.type === 'next') {
      call.next(response.value);
      return;
    }
    pending.delete(response.id);
    if (response.type === 'error') call.fail(EngineError.fromData(response.error));
    else call.end(response.type === 'result' ? response.value : undefined);
  });
  port.onClose(() => {
    closed = true;
    const error = new EngineError('engine-restarted', 'The engine was restarted.', 'Try again in a moment.');
    for (const call of pending.values()) call.fail(error);
    pending.clear();
  });

  const begin = (
    method: Method,
    input: unknown,
    signal: AbortSignal | undefined,
    handlers: Pending,
  ): void => {
    if (closed) {
      handlers.fail(
        new EngineError('engine-restarted', 'The engine is restarting.', 'Try again in a moment.'),
      );
      return;
    }
    if (signal?.aborted) {
      handlers.fail(new EngineError('cancelled', 'Cancelled.'));
      return;
    }
    const id = ++lastId;
    pending.set(id, handlers);
    port.post({ type: 'call', id, method, input });
    signal?.addEventListener('abort', () => {
      if (pending.delete(id)) {
        port.post({ type: 'abort', id });
        handlers.fail(new EngineError('cancelled', 'Cancelled.'));
      }
    });
  };

  const call = (method: Method, input: unknown, options?: { signal?: AbortSignal }): Promise<unknown> =>
    new Promise((resolve, reject) => {
      begin(method, input, options?.signal, { next: () => undefined, end: resolve, fail: reject });
    });

  async function* stream(method: Method, input: unknown, options?: { signal?: AbortSignal }): AsyncGenerator {
    const queue: unknown[] = [];
    const outcome: { finished: boolean; failure: EngineError | null } = { finished: false, failure: null };
    let wake = (): void => undefined;
    // Leaving the loop early must stop the other side too.
    const stop = new AbortController();
    const signal = options?.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
    begin(method, input, signal, {
      next: (value) => {
        queue.push(value);
        wake();
      },
      end: () => {
        outcome.finished = true;
        wake();
      },
      fail: (error) => {
        outcome.failure = error;
        wake();
      },
    });
    try {
      for (;;) {
        while (queue.length > 0) yield queue.shift();
        if (outcome.failure) throw outcome.failure;
        if (outcome.finished) return;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      stop.abort();
    }
  }

  return { call, stream } as EngineClient;
}
