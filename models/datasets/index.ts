export { readMultilabelCsv } from './csv.ts';
export { DatasetError, type DatasetErrorCode } from './errors.ts';
export { excludeColumns } from './exclude.ts';
export { readDataset } from './read.ts';
export type {
  Dataset,
  DatasetWarning,
  DatasetWarningCode,
  LabelChoice,
  ReadDatasetOptions,
} from './types.ts';
