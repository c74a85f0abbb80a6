import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DatasetError, type Dataset, type ReadDatasetOptions } from '../../models/datasets/index.ts';
import type { AskThread } from '../threads/ask.ts';
import { ThreadFailure, type ThreadLimits } from '../threads/call-thread.ts';
import { asDatasetError, datasetContract } from './dataset-protocol.ts';

export interface ReadFileOptions extends ReadDatasetOptions {
  ask: AskThread;
  /** Default: by the size of the file. */
  limits?: ThreadLimits;
}

/** A column of lists is one piece of Parquet; 18 MB a second were measured on two shared cores. */
async function usualLimits(path: string): Promise<ThreadLimits> {
  const sizes = (await filesOf(path)).map((file) => stat(file).then(({ size }) => size));
  const bytes = (await Promise.allSettled(sizes)).reduce(
    (sum, size) => sum + (size.status === 'fulfilled' ? size.value : 0),
    0,
  );
  return { stallMs: 15_000 + bytes / 5_000, memoryMb: 2048 };
}

/** A bundle is a folder. */
const filesOf = (path: string): Promise<string[]> =>
  readdir(path).then(
    (names) => names.map((name) => join(path, name)),
    () => [path],
  );

/**
 * Reads a multilabel data set of any format in a thread of its own, which is ended when the file needs too much time or
 * memory, or when the signal aborts: at once, even inside an endless loop.
 * @throws DatasetError saying where and what to do; the signal's reason on abort; Error when the thread does not start
 */
export async function readDataset(
  path: string,
  { ask, limits, ...options }: ReadFileOptions,
): Promise<Dataset> {
  const { signal, labels, exclude, missing } = options;
  const input = {
    ...{ path, missing },
    labels: labels?.kind === 'names' ? { kind: labels.kind, names: [...labels.names] } : labels,
    exclude: exclude && [...exclude],
  };
  try {
    return await ask('dataset', datasetContract, 'read', input, {
      limits: limits ?? (await usualLimits(path)),
      signal,
    });
  } catch (error) {
    if (!(error instanceof ThreadFailure)) throw asDatasetError(error);
    throw new DatasetError(
      'unreadable',
      `${path} cannot be read: ${error.message}.`,
      'It is damaged or very large: write it again, or take a sample of its rows.',
    );
  }
}
