import { PackError, type Pack } from '../../models/packs/index.ts';
import type { Confinement } from '../api/app.ts';
import { connect } from '../wire/connect.ts';
import type { Client, Connection, InputOf, OutputOf, QueryOf } from '../wire/contract.ts';
import { embedderContract, type EmbedderContract } from './contract.ts';
import { fromPackErrorCoding } from './errors.ts';
import { GraphWatch } from './graph-watch.ts';
import type { EmbedderLimits } from './limits.ts';
import { endOf, type HelperEnd, type HelperProcess, type SpawnHelper } from '../helpers/process.ts';

export interface EmbedderOptions {
  spawn: SpawnHelper;
  limits: EmbedderLimits;
  /** Told what keeps the process in, once it was started. */
  onConfined?: (confinement: Confinement) => void;
}

/** What belongs to a request besides its input. */
export interface AskOptions {
  /** Smallest first. */
  priority: number;
  /** Named in errors. */
  pack?: Pack;
  /** Names what stays open for the next request of its kind. */
  graph?: string;
  signal?: AbortSignal;
}

interface Call extends AskOptions {
  crashes: number;
  /** @returns what tells whoever asked */
  begin: (process: Client<EmbedderContract>, signal: AbortSignal) => Promise<() => void>;
  reject: (error: unknown) => void;
}

/** A process that was started, with what is known of it here. */
interface Started {
  process: HelperProcess;
  connection: Connection<EmbedderContract>;
  watch: GraphWatch;
}

/**
 * One embedder process and the queue before it. The process is given one request at a time, the most urgent first, so
 * that what a person listens for is computed before the next batch of anything else. It is started when there is
 * something to do, again when it died, and ended when a request takes too long. A request that ends its process is tried
 * once more; one that does it again, or that was ended for time or memory, fails with an error that names the pack.
 */
export class Embedder {
  readonly #options: EmbedderOptions;
  readonly #waiting: Call[] = [];
  #started: Started | null = null;
  #running: Call | null = null;
  #closed = false;

  constructor(options: EmbedderOptions) {
    this.#options = options;
  }

  /**
   * Queues a request behind those that are at least as urgent.
   * @throws PackError; RangeError on inputs of a wrong size; the signal's reason on abort; Error after `close`
   */
  ask<M extends QueryOf<EmbedderContract>>(
    method: M,
    input: InputOf<EmbedderContract, M>,
    options: AskOptions,
  ): Promise<OutputOf<EmbedderContract, M>> {
    if (this.#closed) return Promise.reject(over());
    const { signal } = options;
    let leave: () => void = () => undefined;
    return new Promise<OutputOf<EmbedderContract, M>>((resolve, reject) => {
      signal?.throwIfAborted();
      const call: Call = {
        ...options,
        crashes: 0,
        begin: async (process, stop) => {
          const output = await process.call(method, input, { signal: stop });
          return () => resolve(output);
        },
        reject,
      };
      leave = () => {
        const at = this.#waiting.indexOf(call);
        if (at >= 0) this.#waiting.splice(at, 1);
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#enqueue(call, ({ priority }) => priority > call.priority);
    }).finally(() => signal?.removeEventListener('abort', leave));
  }

  /** Ends the process; what waits and what runs is rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    const process = this.#started?.process;
    this.#end();
    await process?.ended;
    this.#running?.reject(over());
    for (const call of this.#waiting.splice(0)) call.reject(over());
  }

  #enqueue(call: Call, before: (other: Call) => boolean): void {
    const at = this.#waiting.findIndex(before);
    this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, call);
    this.#next();
  }

  #next(): void {
    if (this.#running !== null || this.#closed) return;
    const call = this.#waiting.shift();
    if (!call) return;
    this.#running = call;
    void this.#carryOut(call).finally(() => {
      this.#running = null;
      // After whoever was answered had its turn: it may ask for something more urgent than what waits.
      setImmediate(() => this.#next());
    });
  }

  async #carryOut(call: Call): Promise<void> {
    const late = new AbortController();
    try {
      const { connection, watch } = this.#start();
      watch.begin(call.graph ?? null, (seconds) => {
        this.#end();
        late.abort(tooLong(call.pack, seconds));
      });
      let opened = false;
      try {
        const signal = call.signal ? AbortSignal.any([call.signal, late.signal]) : late.signal;
        const tell = await call.begin(connection, signal);
        opened = true;
        tell();
      } finally {
        // One that was told to stop may be at work still.
        if (call.signal?.aborted === true) await connection.idle();
        watch.end(opened);
      }
    } catch (thrown) {
      if (late.signal.aborted) call.reject(late.signal.reason);
      else if (thrown instanceof EmbedderLost) this.#lost(call, thrown.end);
      else call.reject(fromPackErrorCoding(thrown));
    }
  }

  #start(): Started {
    if (this.#started) return this.#started;
    const { spawn, limits } = this.#options;
    const process = spawn(limits.memory);
    const connection = connect(process.port, embedderContract, {
      lost: (reason) => {
        if (this.#started === started) this.#started = null;
        return new EmbedderLost(endOf(reason));
      },
    });
    const started: Started = { process, connection, watch: new GraphWatch(limits) };
    this.#started = started;
    const { onConfined } = this.#options;
    // One that ends before it answered is told of by the request that it was started for.
    if (onConfined) connection.call('confinement', null).then(onConfined, () => undefined);
    return started;
  }

  #lost(call: Call, end: HelperEnd): void {
    if (this.#closed) call.reject(over());
    else if (end === 'memory') call.reject(tooMuch(call.pack, this.#options.limits.memory));
    else if (++call.crashes > 1) call.reject(endedTwice(call.pack));
    // Before everything that is not more urgent: it was at work already.
    else this.#enqueue(call, ({ priority }) => priority >= call.priority);
  }

  /** Kills the process, if there is one. */
  #end(): void {
    this.#started?.connection.close();
    this.#started = null;
  }
}

/** The process ended while it was at work. */
class EmbedderLost extends Error {
  readonly end: HelperEnd;

  constructor(end: HelperEnd) {
    super('the process that runs the graphs of packs ended');
    this.end = end;
  }
}

const over = (): Error => new Error('the embedder is closed');
const named = (pack: Pack | undefined): string =>
  pack === undefined ? 'the pack' : `the pack “${pack.manifest.title}” (${pack.manifest.id})`;
const hint =
  'Its model asks for more than an honest one would on this machine: use another pack, or get this one again from its maker.';

function tooLong(pack: Pack | undefined, seconds: number): PackError {
  return new PackError('limit', `${named(pack)} computed for ${seconds} s without an end and was stopped`, {
    hint,
  });
}

function tooMuch(pack: Pack | undefined, bytes: number): PackError {
  const gib = (bytes / 2 ** 30).toFixed(1);
  return new PackError('limit', `${named(pack)} took more than ${gib} GiB of memory and was stopped`, {
    hint,
  });
}

function endedTwice(pack: Pack | undefined): PackError {
  return new PackError('limit', `${named(pack)} ended the process that computes it, twice`, { hint });
}
