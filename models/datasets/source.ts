import type { ColumnChoice } from './plan.ts';
import type { DatasetWarning, ReadDatasetOptions } from './types.ts';

/** Options of the reader of one format: an XML was read before. */
export interface SourceOptions extends Omit<ReadDatasetOptions, 'labels'> {
  labels?: ColumnChoice | undefined;
}

/** What the reader of one format hands over; the checks that all formats share come afterwards. */
export interface RawDataset {
  /** Name inside the file; null when only the file has one. */
  name: string | null;
  features: Float64Array;
  count: number;
  dim: number;
  labels: Uint8Array;
  labelNames: string[];
  /** Whether the file gives each row its class, which became one label per class. */
  classPerRow: boolean;
  featureNames: string[];
  rowIds: string[] | null;
  /** Rows left out for a missing value. */
  dropped: number;
  warnings: DatasetWarning[];
  /** Nominal features by number: how many values they declare. */
  nominal: ReadonlyMap<number, number>;
}

/** Reads a Parquet table somewhere where it can be ended. */
export type ParquetReader = (path: string, options: SourceOptions) => Promise<RawDataset>;
