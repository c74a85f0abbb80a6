import { AudioError, type ExternalDecoder } from '../../models/audio/index.ts';
import { AsyncQueue } from '../wire/async-queue.ts';
import { DecodeThread } from './decode-thread.ts';
import { decodeOutside } from './outside.ts';
import { fromWireError, type DecodeReply, type ProbeResult } from './protocol.ts';
import { Watchdog, type DecodeLimits } from './watchdog.ts';

export interface DecodePoolOptions {
  /** The bundled `worker.ts`. */
  workerUrl: URL | string;
  /** Threads at most; they start when first needed. */
  workers: number;
  limits: DecodeLimits;
  /** Runs in this process, for what the workers cannot decode. */
  external?: ExternalDecoder;
}

export interface PoolDecodeOptions {
  /** Of the output, Hz. */
  sampleRate: number;
  signal: AbortSignal;
  /** Told of damage in a file that still gives audio. */
  onWarning?: (message: string) => void;
}

/** Chunks that a worker may send ahead of the reader. */
const CREDITS = 4;

type JobReply = Exclude<DecodeReply, { type: 'ready' }>;
type StartJob = Parameters<DecodeThread['start']>[1];

/**
 * Decodes and probes files in worker threads that are killed when a file takes too long or too much memory. The fault
 * of a file is an {@link AudioError} of that call alone; the pool starts a new worker and goes on.
 */
export class DecodePool {
  readonly #options: DecodePoolOptions;
  readonly #threads = new Set<DecodeThread>();
  readonly #idle: DecodeThread[] = [];
  readonly #waiting: { resolve: (thread: DecodeThread) => void; reject: (error: unknown) => void }[] = [];
  #closed = false;

  constructor(options: DecodePoolOptions) {
    this.#options = options;
  }

  /**
   * Reads format, tags, cover and hash.
   * @throws AudioError for every fault of the file; `signal.reason` on abort; Error when the worker does not start
   */
  async probe(path: string, signal: AbortSignal): Promise<ProbeResult> {
    for await (const reply of this.#run({ type: 'probe', path }, signal)) {
      if (reply.type === 'probed') return reply.result;
    }
    throw new Error('The decode worker gave no answer');
  }

  /**
   * Decodes to mono at `sampleRate`, in pieces of varying length. A slow reader slows the worker down. Leaving the loop
   * early frees the worker.
   * @throws AudioError for every fault of the file; `signal.reason` within 100 ms of an abort; Error when the worker
   * does not start
   */
  async *decode(path: string, options: PoolDecodeOptions): AsyncGenerator<Float32Array, void> {
    const { sampleRate, signal } = options;
    try {
      for await (const reply of this.#run({ type: 'decode', path, sampleRate, credits: CREDITS }, signal)) {
        if (reply.type === 'chunk') yield reply.samples;
        else if (reply.type === 'warning') options.onWarning?.(reply.message);
      }
    } catch (error) {
      const { external } = this.#options;
      if (!external || !(error instanceof AudioError) || error.container === null) throw error;
      const { container } = error;
      yield* decodeOutside(external, path, { ...options, container, limits: this.#options.limits });
    }
  }

  /** Kills all workers; running and later calls reject. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(new Error('The decode pool is closed'));
    await Promise.all([...this.#threads].map((thread) => thread.kill()));
  }

  /** Runs one job in a worker; yields its replies up to and including the last. */
  async *#run(job: StartJob, signal: AbortSignal): AsyncGenerator<JobReply, void> {
    const thread = await this.#acquire(signal);
    if (signal.aborted) {
      this.#release(thread);
      throw signal.reason;
    }
    const queue = new AsyncQueue<JobReply>();
    const state: { ahead: number; over: boolean } = { ahead: 0, over: false };
    const watchdog = new Watchdog(this.#options.limits, (reason) => {
      state.over = true;
      queue.abandon(
        new AudioError('corrupt', `Decoding was stopped, it took too long (${reason}): ${job.path}`),
      );
      void thread.kill();
    });
    const onAbort = (): void => {
      queue.abandon(signal.reason);
      watchdog.pause();
      // A job that is over may have left its thread to another one already.
      if (!state.over) thread.cancel();
      state.over = true;
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      watchdog.resume();
      const onReply = (reply: JobReply): void => {
        watchdog.progress();
        if (reply.type === 'chunk' && ++state.ahead >= CREDITS) watchdog.pause();
        if (reply.type === 'end' || reply.type === 'failed' || reply.type === 'probed') {
          state.over = true;
          watchdog.pause();
        }
        queue.push(reply);
      };
      const onDeath = (error: Error): void => {
        state.over = true;
        queue.abandon(error);
      };
      thread.start({ onReply, onDeath }, job);
      for (;;) {
        const { value: reply, done } = await queue.next();
        if (done) return;
        if (reply.type === 'failed') throw fromWireError(reply.error);
        if (reply.type !== 'end') yield reply;
        if (reply.type === 'end' || reply.type === 'probed') return;
        if (reply.type !== 'chunk') continue;
        state.ahead--;
        if (state.over) continue;
        thread.grant();
        watchdog.resume();
      }
    } finally {
      watchdog.pause();
      signal.removeEventListener('abort', onAbort);
      if (!state.over) thread.cancel();
    }
  }

  async #acquire(signal: AbortSignal): Promise<DecodeThread> {
    signal.throwIfAborted();
    if (this.#closed) throw new Error('The decode pool is closed');
    for (let idle = this.#idle.pop(); idle; idle = this.#idle.pop()) {
      if (!idle.dead) return idle;
    }
    if (this.#threads.size < this.#options.workers) return this.#spawn();
    return new Promise((resolve, reject) => {
      const waiter = {
        resolve: (thread: DecodeThread) => {
          signal.removeEventListener('abort', onAbort);
          resolve(thread);
        },
        reject,
      };
      const onAbort = (): void => {
        const position = this.#waiting.indexOf(waiter);
        if (position >= 0) this.#waiting.splice(position, 1);
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(waiter);
    });
  }

  #spawn(): DecodeThread {
    const { workerUrl, limits } = this.#options;
    const thread = new DecodeThread(workerUrl, limits.memoryMb, {
      onIdle: () => this.#release(thread),
      onExit: () => this.#forget(thread),
    });
    this.#threads.add(thread);
    return thread;
  }

  #release(thread: DecodeThread): void {
    const waiter = this.#waiting.shift();
    if (waiter) {
      waiter.resolve(thread);
      return;
    }
    thread.rest();
    this.#idle.push(thread);
  }

  /** A dead thread makes room for a new one. */
  #forget(thread: DecodeThread): void {
    this.#threads.delete(thread);
    const position = this.#idle.indexOf(thread);
    if (position >= 0) this.#idle.splice(position, 1);
    if (this.#closed) return;
    this.#waiting.shift()?.resolve(this.#spawn());
  }
}
