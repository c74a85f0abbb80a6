import { PackError, type Pack } from '../../models/packs/index.ts';
import { GraphWatch } from './graph-watch.ts';
import type { EmbedderLimits } from './limits.ts';
import type { EmbedderEnd, EmbedderProcess, SpawnEmbedder } from './process.ts';
import { errorOf, replySchema } from './protocol.ts';
import type { Ask, EmbedderReply } from './protocol.ts';

interface Call {
  ask: Ask;
  /** Smallest first. */
  priority: number;
  /** Named in errors. */
  pack: Pack | null;
  crashes: number;
  resolve: (output: Float32Array | null) => void;
  reject: (error: Error) => void;
}

export interface EmbedderOptions {
  spawn: SpawnEmbedder;
  limits: EmbedderLimits;
}

/**
 * One embedder process and the queue before it. The process is given one run at a time, the most urgent first, so that
 * what a person listens for is computed before the next batch of anything else. It is started when there is something to
 * do, again when it died, and ended when a run takes too long. A run that ends its process is tried once more; one that
 * does it again, or that was ended for time or memory, fails with an error that names the pack.
 */
export class Embedder {
  readonly #options: EmbedderOptions;
  readonly #waiting: Call[] = [];
  #process: EmbedderProcess | null = null;
  #watch: GraphWatch | null = null;
  #running: { id: number; call: Call } | null = null;
  #lastId = 0;
  #closed = false;

  constructor(options: EmbedderOptions) {
    this.#options = options;
  }

  /**
   * Queues a request behind those that are at least as urgent.
   * @throws PackError; RangeError on inputs of a wrong size; Error after `close`
   */
  ask(ask: Ask, priority: number, pack: Pack | null): Promise<Float32Array | null> {
    if (this.#closed) return Promise.reject(new Error('the embedder is closed'));
    return new Promise((resolve, reject) => {
      this.#enqueue({ ask, priority, pack, crashes: 0, resolve, reject });
    });
  }

  /** Ends the process; what waits and what runs is rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    const process = this.#process;
    this.#end();
    await process?.ended;
    const over = new Error('the embedder is closed');
    this.#running?.call.reject(over);
    this.#running = null;
    for (const call of this.#waiting.splice(0)) call.reject(over);
  }

  #enqueue(call: Call): void {
    const behind = this.#waiting.findIndex(({ priority }) => priority > call.priority);
    this.#waiting.splice(behind < 0 ? this.#waiting.length : behind, 0, call);
    this.#next();
  }

  #next(): void {
    if (this.#running !== null || this.#closed) return;
    const call = this.#waiting.shift();
    if (!call) return;
    const id = ++this.#lastId;
    this.#running = { id, call };
    try {
      const { process, watch } = this.#start();
      watch.begin(call.ask);
      process.post({ ...call.ask, id });
    } catch (thrown) {
      this.#running = null;
      call.reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
      this.#next();
    }
  }

  #start(): { process: EmbedderProcess; watch: GraphWatch } {
    if (this.#process && this.#watch) return { process: this.#process, watch: this.#watch };
    const { spawn, limits } = this.#options;
    const process = spawn(limits.memory);
    const watch = new GraphWatch(limits, (seconds) => {
      this.#end();
      this.#failRunning(({ pack }) => tooLong(pack, seconds));
    });
    process.onMessage((message) => {
      if (process === this.#process) this.#receive(message);
    });
    process.onEnd((end) => {
      if (process === this.#process) this.#died(end);
    });
    this.#process = process;
    this.#watch = watch;
    return { process, watch };
  }

  #receive(message: unknown): void {
    const parsed = replySchema.safeParse(message);
    if (!parsed.success || parsed.data.id !== this.#running?.id) return;
    const reply: EmbedderReply = parsed.data;
    const { call } = this.#running;
    this.#running = null;
    this.#watch?.end(reply.type === 'done');
    if (reply.type === 'done') call.resolve(reply.output);
    else call.reject(errorOf(reply.error));
    // After whoever was answered had its turn: it may ask for something more urgent than what waits.
    setImmediate(() => this.#next());
  }

  #died(end: EmbedderEnd): void {
    this.#end();
    const running = this.#running;
    if (!running) return;
    if (end === 'memory') {
      this.#failRunning(({ pack }) => tooMuch(pack, this.#options.limits.memory));
    } else if (++running.call.crashes > 1) {
      this.#failRunning(({ pack }) => endedTwice(pack));
    } else {
      this.#running = null;
      const { call } = running;
      // Before everything that is not more urgent: it was at work already.
      const behind = this.#waiting.findIndex(({ priority }) => priority >= call.priority);
      this.#waiting.splice(behind < 0 ? this.#waiting.length : behind, 0, call);
      this.#next();
    }
  }

  #failRunning(error: (call: Call) => Error): void {
    const running = this.#running;
    this.#running = null;
    running?.call.reject(error(running.call));
    this.#next();
  }

  #end(): void {
    this.#watch?.stop();
    this.#process?.kill();
    this.#process = null;
    this.#watch = null;
  }
}

const named = (pack: Pack | null): string =>
  pack === null ? 'the pack' : `the pack “${pack.manifest.title}” (${pack.manifest.id})`;
const hint =
  'Its model asks for more than an honest one would on this machine: use another pack, or get this one again from its maker.';

function tooLong(pack: Pack | null, seconds: number): PackError {
  return new PackError('limit', `${named(pack)} computed for ${seconds} s without an end and was stopped`, {
    hint,
  });
}

function tooMuch(pack: Pack | null, bytes: number): PackError {
  const gib = (bytes / 2 ** 30).toFixed(1);
  return new PackError('limit', `${named(pack)} took more than ${gib} GiB of memory and was stopped`, {
    hint,
  });
}

function endedTwice(pack: Pack | null): PackError {
  return new PackError('limit', `${named(pack)} ended the process that computes it, twice`, { hint });
}
