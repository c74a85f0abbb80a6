import { Worker } from 'node:worker_threads';
import { connect } from '../wire/connect.ts';
import type { Contract, InputOf, OutputOf, QueryOf } from '../wire/contract.ts';
import { EngineError } from '../wire/errors.ts';
import { workerPort, WorkerExit } from '../wire/transports/worker.ts';

/** Limits on a thread that reads one unknown file. */
export interface ThreadLimits {
  /** Milliseconds without a sign of life. */
  stallMs: number;
  /** Megabytes of its JavaScript heap. */
  memoryMb: number;
}

/** The thread came up, and what it was given was too much for it; the message says what, as the end of a sentence. */
export class ThreadFailure extends Error {
  override readonly name = 'ThreadFailure';
}

/**
 * Asks one thing of a thread of its own, which is ended afterwards: also when it needs too much time or memory, or when
 * the signal aborts, and then at once, even inside an endless loop. The handler must give a sign of life as it begins.
 * @param entry the bundled worker
 * @param name of the worker, for people
 * @throws ThreadFailure; EngineError of the handler, except `internal`, which is a failure; the signal's reason on abort;
 * Error when the worker does not start
 */
export async function callThread<C extends Contract, M extends QueryOf<C>>(
  entry: URL | string,
  contract: C,
  method: M,
  input: InputOf<C, M>,
  {
    name,
    limits: { stallMs, memoryMb },
    signal,
  }: { name: string; limits: ThreadLimits; signal?: AbortSignal | undefined },
): Promise<OutputOf<C, M>> {
  signal?.throwIfAborted();
  const worker = new Worker(entry, {
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb: 64 },
  });
  let started = false;
  worker.once('message', () => (started = true));
  const lost = (reason: NodeJS.ErrnoException = new Error('no reason given')): Error => {
    if (reason.code === 'ERR_WORKER_OUT_OF_MEMORY')
      return new ThreadFailure(`it needs more than ${memoryMb} MB of memory`, { cause: reason });
    // A thread that never came up says nothing about the file.
    if (!started && !(reason instanceof WorkerExit))
      return new Error(`The ${name} does not start: ${reason.message}`, { cause: reason });
    return new ThreadFailure(reason.message, { cause: reason });
  };
  const connection = connect(workerPort(worker), contract, { lost });
  const stop = new AbortController();
  const watch = setTimeout(
    () => stop.abort(new ThreadFailure(`nothing came of it in ${Math.round(stallMs / 1000)} s`)),
    stallMs,
  );
  try {
    return await connection.call(method, input, {
      signal: signal ? AbortSignal.any([signal, stop.signal]) : stop.signal,
      onAlive: () => watch.refresh(),
    });
  } catch (error) {
    signal?.throwIfAborted();
    stop.signal.throwIfAborted();
    if (error instanceof EngineError && error.code === 'internal')
      throw new ThreadFailure(error.message, { cause: error });
    throw error;
  } finally {
    clearTimeout(watch);
    connection.close();
  }
}
