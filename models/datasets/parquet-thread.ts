import { stat } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { DatasetError } from './errors.ts';
import { fromWire, type ParquetReply, type ParquetRequest } from './parquet-protocol.ts';
import type { RawDataset, SourceOptions } from './source.ts';

/** Limits on the thread that unpacks a file. */
export interface ParquetLimits {
  /** Milliseconds without one more piece of a column. */
  stallMs: number;
  /** Megabytes of its JavaScript heap. */
  memoryMb: number;
}

/** A column of lists is one piece; 18 MB a second were measured on two shared cores. */
async function usualLimits(path: string): Promise<ParquetLimits> {
  const bytes = await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
  return { stallMs: 15_000 + bytes / 5_000, memoryMb: 2048 };
}

/**
 * Reads a Parquet table in a thread of its own, which is ended when the file needs too much time or memory, or when the
 * signal aborts: at once, even inside an endless loop.
 * @param entry the bundled `parquet-worker.ts`
 * @throws DatasetError; the signal's reason on abort; Error when the worker does not start
 */
export async function readParquetInThread(
  entry: URL | string,
  path: string,
  { signal, labels, exclude, missing }: Omit<SourceOptions, 'parquetWorker'> = {},
  limits?: ParquetLimits,
): Promise<RawDataset> {
  const { stallMs, memoryMb } = limits ?? (await usualLimits(path));
  signal?.throwIfAborted();
  const workerData: ParquetRequest = { path, options: { labels, exclude, missing } };
  const worker = new Worker(entry, {
    workerData,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb: 64 },
  });
  return new Promise<RawDataset>((resolve, reject) => {
    const refuse = (what: string) =>
      reject(
        new DatasetError(
          'unreadable',
          `${path} cannot be read: ${what}.`,
          'It is damaged or very large: write it again, or take a sample of its rows.',
        ),
      );
    const settle = (act: () => void) => {
      clearTimeout(watch);
      signal?.removeEventListener('abort', abort);
      void worker.terminate();
      act();
    };
    const abort = () => settle(() => reject(signal?.reason as Error));
    const watch = setTimeout(
      () => settle(() => refuse(`nothing came of it in ${Math.round(stallMs / 1000)} s`)),
      stallMs,
    );
    signal?.addEventListener('abort', abort, { once: true });
    let started = false;
    worker.on('message', (reply: ParquetReply) => {
      started = true;
      if (reply.type === 'progress') watch.refresh();
      else if (reply.type === 'read') settle(() => resolve(reply.raw));
      else settle(() => reject(fromWire(reply.error)));
    });
    worker.on('error', (error: NodeJS.ErrnoException) =>
      settle(() => {
        if (error.code === 'ERR_WORKER_OUT_OF_MEMORY')
          refuse(`unpacking it needs more than ${memoryMb} MB of memory`);
        else if (started) refuse(error.message);
        // A thread that never came up says nothing about the file.
        else reject(new Error(`The Parquet worker does not start: ${error.message}`, { cause: error }));
      }),
    );
    worker.on('exit', (code) => settle(() => refuse(`unpacking it ended with code ${code}`)));
  });
}
