import { Worker } from 'node:worker_threads';
import { EngineError } from '../api/errors.ts';
import type { LabelReply, LabelRequest } from './label-protocol.ts';
import type { LabelTable } from './label-table.ts';

/** Limits on the thread that reads a label file. */
export interface LabelLimits {
  /** Milliseconds without one more piece of the file. */
  stallMs: number;
  /** Megabytes of its JavaScript heap. */
  memoryMb: number;
}

/**
 * Reads a label file in a thread of its own, which is ended when it needs too much time or memory, or when the signal
 * aborts.
 * @param entry the bundled `label-worker.ts`
 * @throws EngineError `unreadable`, `bad-input`; the signal's reason on abort; Error when the worker does not start
 */
export function readLabelTable(
  entry: URL | string,
  request: LabelRequest,
  signal: AbortSignal,
  { stallMs, memoryMb }: LabelLimits = { stallMs: 30_000, memoryMb: 1024 },
): Promise<LabelTable> {
  signal.throwIfAborted();
  const worker = new Worker(entry, {
    workerData: request,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb: 64 },
  });
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      clearTimeout(watch);
      signal.removeEventListener('abort', abort);
      void worker.terminate();
      act();
    };
    const refuse = (what: string): void =>
      settle(() =>
        reject(
          new EngineError(
            'unreadable',
            `${request.path} cannot be read: ${what}.`,
            'Is it a table of paths and labels? Check its drive, or leave out rows of other music.',
          ),
        ),
      );
    const abort = (): void => settle(() => reject(signal.reason as Error));
    const watch = setTimeout(() => refuse(`nothing came of it in ${Math.round(stallMs / 1000)} s`), stallMs);
    signal.addEventListener('abort', abort, { once: true });
    let started = false;
    worker.on('message', (reply: LabelReply) => {
      started = true;
      if (reply.type === 'progress') watch.refresh();
      else if (reply.type === 'read') settle(() => resolve(reply.table));
      else settle(() => reject(EngineError.fromData(reply.error)));
    });
    worker.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') refuse(`it needs more than ${memoryMb} MB of memory`);
      else if (started) refuse(error.message);
      // A thread that never came up says nothing about the file.
      else
        settle(() =>
          reject(new Error(`The label worker does not start: ${error.message}`, { cause: error })),
        );
    });
    worker.on('exit', (code) => refuse(`reading it ended with code ${code}`));
  });
}
