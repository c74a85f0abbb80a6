import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import {
  alignClasses,
  MANIFEST_FILE,
  type Dataset,
  type LabelChoice,
} from '../../../models/datasets/index.ts';
import { numberTracks } from '../../../models/embeddings/tracks.ts';
import type { CorpusSource, CorpusWarning, DatasetReading } from '../../api/corpora.ts';
import { EngineError } from '../../api/errors.ts';
import type { EngineContext } from '../../context.ts';
import { readDataset, type ReadFileOptions } from '../../datasets/read.ts';
import type { LabelledRows } from './rows.ts';

type FileSource = Extract<CorpusSource, { kind: 'dataset' }>;

const SILENT =
  'The rows of a data set file are not embeddings of this library’s pack, so its prototypes cannot be turned into sound.';

/** Warnings about columns that can simply be left out. */
const EXCLUDABLE: readonly string[] = ['id-like', 'constant'];

/**
 * The rows of a data set file.
 * @throws DatasetError saying where and what to do; the signal's reason
 */
export async function fileRows(
  source: FileSource,
  { readers }: Pick<EngineContext, 'readers'>,
  signal?: AbortSignal,
): Promise<LabelledRows> {
  const dataset = await readAsAsked(source.path, source, { ask: readers.ask, signal });
  const { features, count, dim, labels, labelNames, classPerRow } = dataset;
  const L = labelNames.length;
  const firstLabel: number[] = [];
  let unlabelled = 0;
  for (let row = 0; row < count; row++) {
    const first = labels.subarray(row * L, (row + 1) * L).indexOf(1);
    if (first < 0) unlabelled += 1;
    firstLabel.push(Math.max(0, first));
  }
  return {
    ...{ source, features, count, dim, labels, labelNames, classPerRow, firstLabel, unlabelled },
    name: basename(source.path),
    space: null,
    dataset: { relation: dataset.name, features: dataset.featureNames },
    tracks: numberTracks(
      Array.from({ length: count }, (_, row) => dataset.rowIds?.[row] ?? `row ${String(row + 1)}`),
    ),
    silent: SILENT,
    warnings: dataset.warnings.map(({ code, message, columns = [] }): CorpusWarning => ({
      code,
      message,
      hint: EXCLUDABLE.includes(code) ? 'Leave these columns out if they say nothing about a row.' : '',
      columns: EXCLUDABLE.includes(code) ? columns : [],
    })),
  };
}

/**
 * A second file of the same columns, to score on.
 * @throws DatasetError; EngineError `bad-input` when the columns differ; the signal's reason
 */
export async function testRows(
  path: string,
  training: LabelledRows,
  { readers }: Pick<EngineContext, 'readers'>,
  signal?: AbortSignal,
): Promise<Dataset> {
  if (training.source.kind !== 'dataset')
    throw new EngineError(
      'bad-input',
      'A library cannot be scored on a data set file.',
      'Hold out some of its tracks, or cut it into folds.',
    );
  const test = await readAsAsked(path, training.source, { ask: readers.ask, signal });
  return withSameColumns(training, test, path);
}

/**
 * The second part of a data set, with the labels of the first.
 * @throws EngineError `bad-input` when the parts differ in features or labels
 */
export function withSameColumns(
  training: Pick<Dataset, 'name' | 'dim' | 'labelNames' | 'classPerRow'>,
  part: Dataset,
  path: string,
): Dataset {
  const test = alignClasses(training, part);
  const unknown = part.labelNames.find((name) => !training.labelNames.includes(name));
  if (training.classPerRow && part.classPerRow && unknown !== undefined)
    throw new EngineError(
      'bad-input',
      `${basename(path)} holds rows of the class “${unknown}”, which ${training.name} lacks.`,
      'Choose the test part of the same data set, or take these rows out.',
    );
  const same =
    test.dim === training.dim &&
    test.labelNames.length === training.labelNames.length &&
    test.labelNames.every((name, label) => name === training.labelNames[label]);
  if (!same)
    throw new EngineError(
      'bad-input',
      `${basename(path)} has other columns than ${training.name}: ${test.dim} features and ${test.labelNames.length} labels, not ${training.dim} and ${training.labelNames.length} of the same names.`,
      'Choose the test part of the same data set.',
    );
  return test;
}

/**
 * SHA-256 of a data set file. Of a bundle it is its manifest's, which lists the hashes of all other files.
 * @throws the signal's reason
 */
export async function hashOfDataset(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const isFolder = (await stat(path)).isDirectory();
  await pipeline(createReadStream(isFolder ? join(path, MANIFEST_FILE) : path), hash, { signal });
  return hash.digest('hex');
}

/**
 * A data set file as a request says it is to be read.
 * @throws DatasetError; the signal's reason
 */
export function readAsAsked(
  path: string,
  { labels, exclude, missing }: DatasetReading,
  options: Pick<ReadFileOptions, 'ask' | 'signal'>,
): Promise<Dataset> {
  return readDataset(path, {
    ...(labels === null ? {} : { labels: labels satisfies LabelChoice }),
    ...{ exclude, missing },
    ...options,
  });
}
