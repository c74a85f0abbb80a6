import { basename } from 'node:path';
import { Pacer } from '../knn/pacer.ts';
import { readCsv } from './csv.ts';
import { DatasetError } from './errors.ts';
import type { RawDataset, SourceOptions } from './source.ts';
import type { Dataset, ReadDatasetOptions } from './types.ts';
import { datasetWarnings } from './warnings.ts';

/**
 * Reads a multilabel data set; the name of the file tells the format: `.csv`, `.csv.gz`.
 * @throws DatasetError saying where and what to do; the signal's reason on abort
 */
export async function readDataset(path: string, options: ReadDatasetOptions = {}): Promise<Dataset> {
  const { labels, ...rest } = options;
  const pacer = new Pacer(options.signal);
  const raw = await readByFormat(path, { ...rest, labels: labels?.kind === 'xml' ? undefined : labels });
  const warnings = await datasetWarnings(raw, pacer);
  const { features, count, dim, labels: bits, labelNames, featureNames, rowIds } = raw;
  const name =
    raw.name ??
    basename(path)
      .replace(/\.gz$/i, '')
      .replace(/\.[^.]+$/, '');
  return { name, features, count, dim, labels: bits, labelNames, featureNames, rowIds, warnings };
}

function readByFormat(path: string, options: SourceOptions): Promise<RawDataset> {
  if (/\.csv(\.gz)?$/i.test(path)) return readCsv(path, options);
  throw new DatasetError(
    'unsupported',
    `${path} is in no format that is read.`,
    'Data sets end in .csv or .csv.gz.',
  );
}
