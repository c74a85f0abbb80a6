export { DatasetError, readMultilabelCsv, type DatasetErrorCode } from './csv.ts';
