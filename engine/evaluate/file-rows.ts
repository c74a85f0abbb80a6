import { EngineError } from '../api/errors.ts';
import type { EngineContext } from '../context.ts';
import { readAsAsked } from '../reductions/corpus/file.ts';
import type { FoundTrack } from './data-sets.ts';
import type { PlannedDataset } from './yaml-data-sets.ts';

/** The rows of a data set file, each as a track with its vector. */
export interface FileRows {
  rows: (FoundTrack & { vector: Float32Array })[];
  /** Names of the features, in order. */
  columns: string[];
  /** What a person should know of it. */
  remarks: string[];
}

/**
 * Reads a file of labelled vectors, of any format that reductions read.
 * @throws DatasetError saying where and what to do; EngineError `bad-input` for numbers that float32 does not hold; the
 * signal's reason
 */
export async function fileRows(
  { readers }: Pick<EngineContext, 'readers'>,
  { name, dir, reading }: PlannedDataset,
  signal: AbortSignal,
): Promise<FileRows> {
  const asked = reading ?? { labels: null, exclude: [], missing: 'refuse' };
  const set = await readAsAsked(dir, asked, { ask: readers.ask, signal });
  const { count, dim, labels, labelNames, rowIds } = set;
  const features = Float32Array.from(set.features);
  const odd = features.findIndex((value) => !Number.isFinite(value));
  if (odd >= 0)
    throw new EngineError(
      'bad-input',
      `${set.featureNames[odd % dim] ?? ''} of ${name} holds ${String(set.features[odd])}, which is no number that probes can learn from.`,
      'Leave the column out with `exclude`, or scale it.',
    );
  const digits = String(count).length;
  const width = labelNames.length;
  const rows = Array.from({ length: count }, (_, row) => ({
    path: rowIds?.[row] ?? `row ${String(row + 1).padStart(digits, '0')}`,
    ...{ file: '', artist: null, album: null, given: null },
    labels: labelNames.filter((__, label) => labels[row * width + label] === 1),
    vector: features.subarray(row * dim, (row + 1) * dim),
  }));
  return { rows, columns: set.featureNames, remarks: set.warnings.map(({ message }) => message) };
}
