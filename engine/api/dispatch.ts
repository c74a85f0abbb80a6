import { z } from 'zod';
import { contract } from './contract.ts';
import type { CallContext, EngineClient, Handlers, Method } from './contract.ts';
import { EngineError } from './errors.ts';

export function isMethod(name: string): name is Method {
  return Object.hasOwn(contract, name);
}

/**
 * Parses the input of a call with the method's schema.
 * @throws EngineError `bad-input`, naming the first offending field.
 */
export function parseInput(method: Method, input: unknown): unknown {
  const parsed = contract[method].input.safeParse(input);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue && issue.path.length > 0 ? ` (${issue.path.join('.')})` : '';
  throw new EngineError(
    'bad-input',
    `${method}: ${issue?.message ?? 'invalid input'}${where}`,
    z.prettifyError(parsed.error),
  );
}

/** A handler seen from the transport: schema-checked input in, plain data out. */
export type UntypedHandler = (input: unknown, context: CallContext) => unknown;

/** The one place where the typed map of handlers is read by a name that came from outside. */
export function handlerOf(handlers: Handlers, method: Method): UntypedHandler {
  // Every handler takes exactly what parseInput of the same method returns.
  return handlers[method] as UntypedHandler;
}

/** A client in the same process, used by the command line and by tests; inputs are parsed here as everywhere. */
export function directClient(handlers: Handlers): EngineClient {
  const invoke = (method: Method, input: unknown, options?: { signal?: AbortSignal }): unknown =>
    handlerOf(handlers, method)(parseInput(method, input), {
      signal: options?.signal ?? new AbortController().signal,
    });
  const client = {
    call: async (method: Method, input: unknown, options?: { signal?: AbortSignal }) => {
      try {
        return await invoke(method, input, options);
      } catch (thrown) {
        throw EngineError.from(thrown);
      }
    },
    stream: (method: Method, input: unknown, options?: { signal?: AbortSignal }) =>
      invoke(method, input, options),
  };
  return client as EngineClient;
}
