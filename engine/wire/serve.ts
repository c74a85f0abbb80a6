import * as z from 'zod';
import { Transfer } from './contract.ts';
import type { CallContext, Contract, ErrorCoding, HandlersOf } from './contract.ts';
import { EngineError } from './errors.ts';
import type { Port } from './port.ts';
import { brokenRequest, requestSchema } from './protocol.ts';
import type { Reply } from './protocol.ts';
import { hello, versionProblem } from './version.ts';

export interface ServeOptions {
  /** Default: {@link EngineError.from}. */
  toError?: ErrorCoding;
  /** Looks at every call before it is worked on. @throws what the client is told */
  permit?: (method: string, input: unknown) => void;
  /** Which paths files that the client names may name in turn; default: all. */
  mayName?: (path: string) => boolean;
  /** Calls of one client that run at once; streams count until they end. */
  running?: number;
  /** Calls of one client that may wait behind those; the next one is refused with `busy`. */
  waiting?: number;
}

/** Calls are begun for this long at a stretch, then whatever else waits in this process has its turn. */
const SLICE_MS = 8;

/** A handler seen from the wire: schema-checked input in, plain data out. */
type UntypedHandler = (input: unknown, context: CallContext) => unknown;

interface Call {
  id: number;
  method: string;
  input: unknown;
  credit: number;
  ports: readonly unknown[];
  controller: AbortController;
  /** Wakes the stream that waits for credit. */
  wake: () => void;
}

/**
 * Serves a contract to one client until its port closes; what runs for it is aborted then. A client that sends more than
 * can be begun holds up nobody else, and is told `busy`.
 */
export function serve<C extends Contract>(
  port: Port,
  contract: C,
  handlers: HandlersOf<C>,
  options: ServeOptions = {},
): void {
  new Server(port, contract, handlers as Record<string, UntypedHandler>, options);
}

class Server {
  readonly #port: Port;
  readonly #contract: Contract;
  readonly #handlers: Readonly<Record<string, UntypedHandler>>;
  readonly #toError: ErrorCoding;
  readonly #permit: (method: string, input: unknown) => void;
  readonly #mayName: CallContext['mayName'];
  readonly #limits: { running: number; waiting: number };
  /** Every call that has not ended, by number. */
  readonly #calls = new Map<number, Call>();
  readonly #waiting: Call[] = [];
  /** Of the client, as it said first. */
  #version: string | null | undefined;
  #running = 0;
  #scheduled = false;
  #lastId = 0;

  constructor(
    port: Port,
    contract: Contract,
    handlers: Readonly<Record<string, UntypedHandler>>,
    options: ServeOptions,
  ) {
    this.#port = port;
    this.#contract = contract;
    this.#handlers = handlers;
    this.#toError = options.toError ?? EngineError.from.bind(EngineError);
    this.#permit = options.permit ?? (() => undefined);
    this.#mayName = options.mayName ?? null;
    this.#limits = { running: options.running ?? 64, waiting: options.waiting ?? 256 };
    port.onMessage((message, ports) => this.#receive(message, ports));
    port.onUnreadable(() => {
      // Only calls carry anything that could be unreadable, and they are numbered one after the other.
      this.#lastId++;
      this.#refuse(this.#lastId, unreadable());
    });
    port.onClose(() => {
      this.#waiting.length = 0;
      for (const { controller } of this.#calls.values()) controller.abort();
    });
    port.post(hello);
  }

  #receive(message: unknown, ports: readonly unknown[]): void {
    const parsed = requestSchema.safeParse(message);
    if (!parsed.success) {
      const id = brokenRequest(message);
      // Anything else is not ours: there is no number to answer to.
      if (id !== null) this.#refuse(id, unreadable());
      return;
    }
    const request = parsed.data;
    if (request.type === 'hello') {
      this.#version = request.version;
      return;
    }
    if (request.type !== 'call') {
      const call = this.#calls.get(request.id);
      if (request.type === 'abort') call?.controller.abort();
      else if (call) {
        call.credit++;
        call.wake();
      }
      return;
    }
    const { id, method, input, credit = 0 } = request;
    this.#lastId = Math.max(this.#lastId, id);
    const reason = this.#reasonAgainst(id, method);
    if (reason) {
      this.#refuse(id, reason);
      return;
    }
    const controller = new AbortController();
    const call: Call = { id, method, input, credit, ports, controller, wake: () => undefined };
    controller.signal.addEventListener('abort', () => call.wake());
    this.#calls.set(id, call);
    this.#waiting.push(call);
    this.#schedule();
  }

  #reasonAgainst(id: number, method: string): EngineError | null {
    const otherVersion = versionProblem(this.#version);
    if (otherVersion) return otherVersion;
    if (!Object.hasOwn(this.#contract, method))
      return new EngineError('bad-input', `There is no method ${method}.`);
    if (this.#calls.has(id)) return new EngineError('bad-input', `There is a call ${id} already.`);
    return this.#waiting.length >= this.#limits.waiting ? tooMany() : null;
  }

  /** After the messages that have come already: a flood of them is refused before the first of it is worked on. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    nextTurn(() => {
      this.#scheduled = false;
      const begun = performance.now();
      while (this.#waiting.length > 0 && this.#running < this.#limits.running) {
        if (performance.now() - begun > SLICE_MS) {
          this.#schedule();
          return;
        }
        const call = this.#waiting.shift();
        if (call) void this.#run(call);
      }
    });
  }

  async #run(call: Call): Promise<void> {
    const { id, controller } = call;
    this.#running++;
    let ending: Reply;
    let transfer: readonly Transferable[] = [];
    try {
      controller.signal.throwIfAborted();
      const method = this.#contract[call.method];
      const handler = this.#handlers[call.method];
      if (!method || !handler) throw new EngineError('internal', `${call.method} is not served here.`);
      const input = parseInput(this.#contract, call.method, call.input);
      this.#permit(call.method, input);
      const answer = handler(input, {
        signal: controller.signal,
        ports: call.ports,
        alive: () => this.#post({ type: 'alive', id }),
        mayName: this.#mayName,
      });
      if (method.kind === 'query') {
        const { value, transfer: moved } = unwrap(await answer);
        transfer = moved;
        ending = { type: 'result', id, value };
      } else {
        await this.#pass(call, answer as AsyncIterable<unknown>);
        ending = { type: 'end', id };
      }
    } catch (thrown) {
      ending = { type: 'error', id, error: this.#toError(thrown).toData() };
    }
    this.#calls.delete(id);
    this.#running--;
    if (this.#waiting.length > 0) this.#schedule();
    try {
      this.#post(ending, transfer);
    } catch (thrown) {
      // The answer is nothing that can be cloned.
      this.#refuse(id, this.#toError(thrown));
    }
  }

  /** Passes a stream on as far as its credit goes; the handler is asked for an answer only when it may be sent. */
  async #pass(call: Call, answers: AsyncIterable<unknown>): Promise<void> {
    const { id, controller } = call;
    const iterator = answers[Symbol.asyncIterator]();
    const aborted = (): boolean => controller.signal.aborted;
    let done = false;
    try {
      for (;;) {
        while (call.credit === 0 && !aborted()) await new Promise<void>((wake) => (call.wake = wake));
        if (aborted()) return;
        const next = await iterator.next();
        done = next.done === true;
        if (done || aborted()) return;
        call.credit--;
        const { value, transfer } = unwrap(next.value);
        this.#post({ type: 'next', id, value }, transfer);
      }
    } catch (thrown) {
      done = true;
      throw thrown;
    } finally {
      if (!done) await iterator.return?.();
    }
  }

  #refuse(id: number, error: EngineError): void {
    this.#post({ type: 'error', id, error: error.toData() });
  }

  #post(reply: Reply, transfer: readonly Transferable[] = []): void {
    this.#port.post(reply, transfer);
  }
}

/**
 * Parses the input of a call with the method's schema.
 * @throws EngineError `bad-input`, naming the first offending field
 */
export function parseInput(contract: Contract, method: string, input: unknown): unknown {
  const schema = contract[method]?.input;
  if (!schema) throw new EngineError('bad-input', `There is no method ${method}.`);
  if (isHuge(input)) throw new EngineError('bad-input', `${method}: the input is too large`);
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue && issue.path.length > 0 ? ` (${issue.path.join('.')})` : '';
  throw new EngineError(
    'bad-input',
    `${method}: ${issue?.message ?? 'invalid input'}${where}`,
    z.prettifyError(parsed.error),
  );
}

/** Schemas look at every element of a list before they say that it is too long. */
const MOST_PARTS = 2_000_000;

/** Whether an input has more lists' elements and properties than any method takes; typed arrays count as one. */
function isHuge(input: unknown): boolean {
  let parts = 0;
  const count = (value: unknown): boolean => {
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false;
    const inside: unknown[] = Array.isArray(value) ? value : Object.values(value);
    parts += inside.length;
    return parts > MOST_PARTS || inside.some(count);
  };
  return count(input);
}

function unwrap(answer: unknown): { value: unknown; transfer: readonly Transferable[] } {
  return answer instanceof Transfer ? answer : { value: answer, transfer: [] };
}

function nextTurn(work: () => void): void {
  // Browsers have no setImmediate.
  if (typeof setImmediate === 'function') setImmediate(work);
  else setTimeout(work, 0);
}

const unreadable = (): EngineError =>
  new EngineError('bad-input', 'The call could not be read.', 'It holds something that cannot be sent.');
const tooMany = (): EngineError =>
  new EngineError('busy', 'Too many calls at once.', 'Wait for the answers to earlier ones.');
