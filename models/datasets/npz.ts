import { readFile } from 'node:fs/promises';
import { Pacer } from '../numerics/pacer.ts';
import { at } from '../numerics/vectors.ts';
import { readNpz, TensorFormatError, writeNpz, type NpyArray } from '../tensors/index.ts';
import { DatasetError, readFailure } from './errors.ts';
import { noLabels } from './plan.ts';
import { assembleRows } from './matrix.ts';
import type { RawDataset, SourceOptions } from './source.ts';
import type { WritableSet } from './types.ts';

/** Names under which archives keep the same thing; the first is what {@link writeDatasetNpz} uses. */
const FEATURES = ['prototypes', 'features', 'X', 'x', 'embeddings', 'vectors', 'data'];
const LABELSETS = ['labelsets', 'Y', 'y', 'labels', 'targets'];
const LABEL_NAMES = ['labels', 'label_names', 'classes', 'target_names'];
const FEATURE_NAMES = ['feature_names', 'columns'];
const ROW_IDS = ['ids', 'row_ids'];

/** An .npz of a labelled set: `prototypes [n, d]`, `labelsets [n, L]` (uint8), `labels [L]`, `feature_names [d]`. */
export function writeDatasetNpz(set: WritableSet, more: Readonly<Record<string, NpyArray>> = {}): Uint8Array {
  const { features, count, dim, labels, labelNames, featureNames } = set;
  return writeNpz({
    prototypes:
      features instanceof Float32Array
        ? { dtype: 'float32', shape: [count, dim], data: features }
        : { dtype: 'float64', shape: [count, dim], data: features },
    labelsets: { dtype: 'uint8', shape: [count, labelNames.length], data: labels },
    labels: { dtype: 'text', shape: [labelNames.length], data: labelNames },
    feature_names: { dtype: 'text', shape: [dim], data: [...featureNames] },
    ...more,
  });
}

/**
 * Reads an .npz with one matrix of features and one of labels (0/1, or boolean), under the usual names; pickled objects
 * are refused. With a choice of labels the matrix of features alone is enough: its columns may hold the labels.
 * @throws DatasetError
 */
export async function readNpzDataset(path: string, options: SourceOptions): Promise<RawDataset> {
  const arrays = await load(path);
  options.signal?.throwIfAborted();
  const features = find(arrays, FEATURES, (array) => array.dtype !== 'text' && array.shape.length === 2);
  if (!features)
    throw new DatasetError(
      'shape',
      `${path} holds no matrix of features; it holds ${[...arrays.keys()].join(', ') || 'nothing'}.`,
      `Name a two-dimensional array ${FEATURES.slice(0, 3).join(', ')} or ${FEATURES[3] ?? ''}.`,
    );
  const [count = 0, width = 0] = features.shape;
  const names = texts(find(arrays, FEATURE_NAMES, isTextOf(width)));
  const featureNames = names ?? Array.from({ length: width }, (_, i) => `z${i}`);
  const ids = texts(find(arrays, ROW_IDS, isTextOf(count)));
  const matrix = find(
    arrays,
    LABELSETS,
    (array) =>
      array !== features && array.dtype !== 'text' && array.shape.length === 2 && array.shape[0] === count,
  );
  const pacer = new Pacer(options.signal);
  const columns = featureNames.map((name, d) => ({
    name,
    at: (row: number) => numberAt(features, row * width + d),
  }));
  if (options.labels || !matrix) {
    if (!options.labels) throw noLabels(path);
    return assembleRows(path, count, columns, options.labels, options, pacer, ids);
  }
  const L = matrix.shape[1] ?? 0;
  const labelNames =
    texts(find(arrays, LABEL_NAMES, isTextOf(L))) ?? Array.from({ length: L }, (_, l) => `label${l}`);
  if (L === 0) throw noLabels(path);
  const labels = labelNames.map((name, l) => ({ name, at: (row: number) => numberAt(matrix, row * L + l) }));
  return assembleRows(path, count, [...columns, ...labels], { kind: 'last', count: L }, options, pacer, ids);
}

async function load(path: string): Promise<Map<string, NpyArray>> {
  try {
    return readNpz(await readFile(path));
  } catch (error) {
    if (error instanceof TensorFormatError)
      throw new DatasetError(
        'unreadable',
        `${path} cannot be read: ${error.message}.`,
        'Save it with numpy.savez, without pickle.',
      );
    throw readFailure(path, error, 'An .npz file is expected.');
  }
}

function find(
  arrays: ReadonlyMap<string, NpyArray>,
  names: readonly string[],
  fits: (array: NpyArray) => boolean,
): NpyArray | null {
  for (const name of names) {
    const array = arrays.get(name);
    if (array && fits(array)) return array;
  }
  return null;
}

const isTextOf =
  (length: number) =>
  (array: NpyArray): boolean =>
    array.dtype === 'text' && array.shape.length === 1 && array.shape[0] === length;

function texts(array: NpyArray | null): string[] | null {
  return array?.dtype === 'text' ? array.data : null;
}

/** NumPy's 64-bit integers come as BigInt. */
function numberAt(array: NpyArray, index: number): number {
  if (array.dtype === 'text') return NaN;
  const { data } = array;
  return data instanceof BigInt64Array || data instanceof BigUint64Array
    ? Number(data[index])
    : at(data, index);
}
