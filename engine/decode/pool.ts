import { AudioError, type ExternalDecoder } from '../../models/audio/index.ts';
import type { CallOptions, Client } from '../wire/contract.ts';
import type { AudioDecoder, DecodeOptions } from './audio-decoder.ts';
import { DecodeThread } from './decode-thread.ts';
import { decodeOutside } from './outside.ts';
import { asAudioError, type DecodeContract, type Decoded, type ProbeResult } from './protocol.ts';
import type { DecodeLimits } from './limits.ts';
import { Watchdog } from './watchdog.ts';

export interface DecodePoolOptions {
  /** The bundled `worker.ts`. */
  workerUrl: URL | string;
  /** Threads at most; they start when first needed. */
  workers: number;
  limits: DecodeLimits;
  /** Runs in this process, for what the workers cannot decode. */
  external?: ExternalDecoder;
}

/**
 * Decodes and probes files in worker threads that are killed when a file takes too long or too much memory. The fault
 * of a file is an {@link AudioError} of that call alone; the pool starts a new worker and goes on.
 */
export class DecodePool implements AudioDecoder {
  readonly #options: DecodePoolOptions;
  readonly #threads = new Set<DecodeThread>();
  readonly #idle: DecodeThread[] = [];
  readonly #waiting: { resolve: (thread: DecodeThread) => void; reject: (error: unknown) => void }[] = [];
  #closed = false;

  constructor(options: DecodePoolOptions) {
    this.#options = options;
  }

  async probe(path: string, signal: AbortSignal): Promise<ProbeResult> {
    const probed = this.#run(path, signal, async function* (worker, options) {
      yield await worker.call('probe', { path }, options);
    });
    for await (const result of probed) return result;
    throw new Error('The decode worker gave no answer');
  }

  async *decode(path: string, options: DecodeOptions): AsyncGenerator<Float32Array, void> {
    const { sampleRate, signal } = options;
    try {
      const decoded = this.#run<Decoded>(path, signal, (worker, work) =>
        worker.stream('decode', { path, sampleRate }, work),
      );
      for await (const piece of decoded) {
        if ('samples' in piece) yield piece.samples;
        else options.onWarning?.(piece.warning);
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

  /** Makes one call of a worker, under the limits of time; they count only while somebody waits for an answer. */
  async *#run<T>(
    path: string,
    signal: AbortSignal,
    begin: (worker: Client<DecodeContract>, options: CallOptions) => AsyncIterable<T>,
  ): AsyncGenerator<T, void> {
    const thread = await this.#acquire(signal);
    const stop = new AbortController();
    const watchdog = new Watchdog(this.#options.limits, (reason) => {
      stop.abort(new AudioError('corrupt', `Decoding was stopped, it took too long (${reason}): ${path}`));
      void thread.kill();
    });
    const answers = begin(thread.work(path), {
      signal: AbortSignal.any([signal, stop.signal]),
      onAlive: () => watchdog.progress(),
    })[Symbol.asyncIterator]();
    try {
      for (;;) {
        watchdog.resume();
        const next = await answers.next();
        watchdog.pause();
        if (next.done === true) return;
        yield next.value;
      }
    } catch (error) {
      signal.throwIfAborted();
      throw stop.signal.aborted ? stop.signal.reason : asAudioError(error);
    } finally {
      watchdog.pause();
      stop.abort();
      void thread.free().then(() => this.#release(thread));
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
    const thread = new DecodeThread(workerUrl, limits.memoryMb, () => this.#forget(thread));
    this.#threads.add(thread);
    return thread;
  }

  #release(thread: DecodeThread): void {
    if (thread.dead) return;
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
