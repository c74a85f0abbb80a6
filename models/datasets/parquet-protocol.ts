import { DatasetError, type DatasetErrorCode } from './errors.ts';
import type { RawDataset, SourceOptions } from './source.ts';

/** Options that a message can carry. */
export type ParquetOptions = Omit<SourceOptions, 'signal' | 'parquetWorker'>;

/** What the thread made from `parquet-worker.ts` is to read. */
export interface ParquetRequest {
  path: string;
  options: ParquetOptions;
}

/** What it answers: any number of signs of life, then the rows or the reason why not. */
export type ParquetReply =
  { type: 'progress' } | { type: 'read'; raw: RawDataset } | { type: 'refused'; error: WireDatasetError };

/** A {@link DatasetError} without its class, which a message does not keep. */
export interface WireDatasetError {
  code: DatasetErrorCode;
  message: string;
  hint: string;
  line: number | undefined;
  column: number | undefined;
}

export function toWire({ code, message, hint, line, column }: DatasetError): WireDatasetError {
  return { code, message, hint, line, column };
}

export function fromWire({ code, message, hint, line, column }: WireDatasetError): DatasetError {
  return new DatasetError(code, message, hint, line, column);
}
