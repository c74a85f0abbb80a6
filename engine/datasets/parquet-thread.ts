import { stat } from 'node:fs/promises';
import { DatasetError, type RawDataset, type SourceOptions } from '../../models/datasets/index.ts';
import { callThread, ThreadFailure, type ThreadLimits } from '../threads/call-thread.ts';
import { asDatasetError, parquetContract } from './parquet-protocol.ts';

/** A column of lists is one piece; 18 MB a second were measured on two shared cores. */
async function usualLimits(path: string): Promise<ThreadLimits> {
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
  { signal, labels, exclude, missing }: SourceOptions = {},
  limits?: ThreadLimits,
): Promise<RawDataset> {
  const input = {
    path,
    missing,
    labels: labels?.kind === 'names' ? { kind: labels.kind, names: [...labels.names] } : labels,
    exclude: exclude && [...exclude],
  };
  try {
    return await callThread(entry, parquetContract, 'read', input, {
      name: 'Parquet worker',
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
