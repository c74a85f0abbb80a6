export { readMultilabelCsv } from './csv.ts';
export { DatasetError, type DatasetErrorCode } from './errors.ts';
export { alignClasses } from './align.ts';
export { excludeColumns } from './exclude.ts';
export { readDataset } from './read.ts';
export type { ParquetReader, RawDataset, SourceOptions } from './source.ts';
export type {
  Dataset,
  DatasetWarning,
  DatasetWarningCode,
  LabelChoice,
  ReadDatasetOptions,
} from './types.ts';
export { EXPORT_SCHEMA, MANIFEST_FILE } from './bundle.ts';
export { knnGraph, type KnnGraphOptions } from './classifier-graph.ts';
export { writeDatasetNpz } from './npz.ts';
export type { WritableSet } from './types.ts';
export { uniqueFeatureNames, writeMeka, writeMulan } from './write-arff.ts';
export {
  writeDatasetParquet,
  type ParquetColumn,
  type ParquetMap,
  type RowNeighbours,
} from './write-parquet.ts';
export { parquetPieces, type PiecedColumn } from './parquet-pieces.ts';
export {
  listColumn,
  neighboursColumn,
  plainColumn,
  type ParquetSchema,
  type ParquetType,
} from './parquet-schema.ts';
