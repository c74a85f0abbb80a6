import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Pacer } from '../numerics/pacer.ts';
import { readArff } from './arff.ts';
import { bundledDataset } from './bundle.ts';
import { readCsv } from './csv.ts';
import { DatasetError } from './errors.ts';
import { readMulanXml } from './mulan.ts';
import { readNpzDataset } from './npz.ts';
import type { ParquetReader, RawDataset, SourceOptions } from './source.ts';
import type { Dataset, ReadDatasetOptions } from './types.ts';
import { datasetWarnings } from './warnings.ts';

/**
 * Reads a multilabel data set; the name of the file tells the format: `.arff` (Mulan with its XML, or MEKA), `.csv`,
 * `.tsv`, `.tab` and `.txt`, each also with `.gz`; `.npz`, `.parquet`; a folder is a bundle that Archetone exported.
 * @param readParquet without it Parquet is refused: a damaged file can keep `readParquetDataset` busy for hours
 * @throws DatasetError saying where and what to do; the signal's reason on abort
 */
export async function readDataset(
  path: string,
  options: ReadDatasetOptions = {},
  readParquet?: ParquetReader,
): Promise<Dataset> {
  const pacer = new Pacer(options.signal);
  const raw = await readByFormat(path, options, readParquet);
  const warnings = await datasetWarnings(raw, pacer);
  const { features, count, dim, labels, labelNames, featureNames, classPerRow, rowIds } = raw;
  const name =
    raw.name ??
    basename(path)
      .replace(/\.gz$/i, '')
      .replace(/\.[^.]+$/, '');
  return { name, features, count, dim, labels, labelNames, featureNames, classPerRow, rowIds, warnings };
}

async function readByFormat(
  path: string,
  options: ReadDatasetOptions,
  readParquet: ParquetReader | undefined,
): Promise<RawDataset> {
  const facts = await stat(path).catch(() => null);
  if (facts?.isDirectory()) {
    const { path: file, labels } = await bundledDataset(path);
    return readByFormat(file, { ...options, labels: options.labels ?? labels }, readParquet);
  }
  // A pipe would be waited for, and a device may never end.
  if (facts && !facts.isFile())
    throw new DatasetError('unreadable', `${path} is no file.`, 'Name the file that holds the data set.');
  if (/\.arff(\.gz)?$/i.test(path)) return readArff(path, options);
  const { labels, ...rest } = options;
  // A Mulan XML may name the columns of any table.
  const source: SourceOptions =
    labels?.kind === 'xml'
      ? { ...rest, labels: { kind: 'names', names: await readMulanXml(labels.path) } }
      : { ...rest, labels };
  if (/\.(csv|tsv|tab|txt)(\.gz)?$/i.test(path)) return readCsv(path, source);
  if (/\.npz$/i.test(path)) return readNpzDataset(path, source);
  if (/\.parquet$/i.test(path)) {
    if (readParquet === undefined) throw new Error('Parquet is read with a reader only');
    return readParquet(path, source);
  }
  throw new DatasetError(
    'unsupported',
    `${path} is in no format that is read.`,
    'Data sets end in .arff, .csv, .tsv or .txt (all also .gz), .npz or .parquet; a folder must be an exported bundle.',
  );
}
