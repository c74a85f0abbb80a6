import {
  readDataset as readByFormat,
  type Dataset,
  type ReadDatasetOptions,
} from '../../models/datasets/index.ts';
import { readParquetInThread } from './parquet-thread.ts';

export interface ReadFileOptions extends ReadDatasetOptions {
  /** The bundled `parquet-worker.ts`. */
  parquetWorker: URL | string;
}

/**
 * Reads a multilabel data set of any format, Parquet in a thread of its own.
 * @throws DatasetError saying where and what to do; the signal's reason on abort
 */
export function readDataset(path: string, { parquetWorker, ...options }: ReadFileOptions): Promise<Dataset> {
  return readByFormat(path, options, (file, source) => readParquetInThread(parquetWorker, file, source));
}
