import { numberTracks } from '../../models/embeddings/tracks.ts';
import { EngineError } from '../api/errors.ts';
import type { EngineContext } from '../context.ts';
import { readAsAsked } from '../reductions/corpus/file.ts';
import type { FoundTrack } from './data-sets.ts';
import type { PlannedDataset } from './yaml-data-sets.ts';

/** The rows of a data set file as tracks. */
export interface FileRows {
  /** `vector`: `[rows, dim]`, of those that share an id. */
  rows: (FoundTrack & { vector: Float32Array })[];
  /** Names of the features, in order. */
  columns: string[];
  /** What a person should know of it. */
  remarks: string[];
}

/**
 * Reads a file of labelled vectors, of any format that reductions read. Rows of one id are windows of one track, which bears
 * the labels of all of them.
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
  const tracks = numberTracks(
    rowIds ?? Array.from({ length: count }, (_, row) => `row ${String(row + 1).padStart(digits, '0')}`),
  );
  const rowsOf = tracks.ids.map((): number[] => []);
  tracks.of.forEach((track, row) => rowsOf[track]?.push(row));
  const rows = tracks.ids.map((path, track) => {
    const own = rowsOf[track] ?? [];
    const vector = new Float32Array(own.length * dim);
    own.forEach((row, i) => vector.set(features.subarray(row * dim, (row + 1) * dim), i * dim));
    return {
      ...{ path, file: '', artist: null, album: null, given: null, vector },
      labels: labelNames.filter((_, label) => own.some((row) => labels[row * width + label] === 1)),
    };
  });
  return { rows, columns: set.featureNames, remarks: set.warnings.map(({ message }) => message) };
}
