import { FileReadError, readBounded } from '../files/read.ts';
import { Pacer } from '../numerics/pacer.ts';
import { at } from '../numerics/vectors.ts';
import { NpzArchive, TensorFormatError, writeNpz, type NpyArray } from '../tensors/index.ts';
import { isMissing } from '../text/index.ts';
import { MAX_CLASSES } from './class-column.ts';
import { DatasetError, readFailure } from './errors.ts';
import { noLabels } from './plan.ts';
import { assembleRows, type MatrixColumn } from './matrix.ts';
import type { RawDataset, SourceOptions } from './source.ts';
import type { DatasetWarning, WritableSet } from './types.ts';

/** Read whole: larger sets are for Parquet. */
const MAX_NPZ_BYTES = 2 * 2 ** 30;
/** Names under which archives keep the same thing; the first is what {@link writeDatasetNpz} uses. */
const FEATURES = ['prototypes', 'features', 'X', 'x', 'embeddings', 'vectors', 'data', 'arr_0'];
const LABELSETS = ['labelsets', 'Y', 'y', 'labels', 'targets', 'arr_1'];
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
 * Reads an .npz with one matrix of features and one of labels (0/1, or boolean), under the usual names; or with one class
 * per row, as a number or a name, which becomes one label per class. Pickled objects are refused where they are needed.
 * With a choice of labels the matrix of features alone is enough: its columns may hold the labels.
 * @throws DatasetError
 */
export async function readNpzDataset(path: string, options: SourceOptions): Promise<RawDataset> {
  const arrays = await load(path);
  options.signal?.throwIfAborted();
  const features = arrays.find(FEATURES, (array) => array.dtype !== 'text' && array.shape.length === 2);
  if (!features)
    throw new DatasetError(
      'shape',
      `${path} holds no matrix of features; it holds ${arrays.contents()}.`,
      arrays.unread(FEATURES).length > 0
        ? 'Save the features as plain numbers: numpy.savez(file, X=X.astype("float64"), …).'
        : `Name a two-dimensional array of numbers ${FEATURES.slice(0, 3).join(', ')} or ${FEATURES[3] ?? ''}.`,
    );
  const [count = 0, width = 0] = features.shape;
  const names = texts(arrays.find(FEATURE_NAMES, isTextOf(width)));
  const featureNames = names ?? Array.from({ length: width }, (_, i) => `z${i}`);
  const ids = texts(arrays.find(ROW_IDS, isTextOf(count)));
  const pacer = new Pacer(options.signal);
  const columns = featureNames.map((name, d) => ({
    name,
    at: (row: number) => numberAt(features, row * width + d),
  }));
  const unnamed = arrays.unread([...FEATURE_NAMES, ...ROW_IDS]);
  if (options.labels) {
    const raw = await assembleRows(path, count, columns, options.labels, options, pacer, ids);
    return { ...raw, warnings: [...raw.warnings, ...unnamed] };
  }
  const { labels, classPerRow, warnings } = labelColumns(
    path,
    arrays,
    features,
    count,
    options.missing === 'drop-rows',
  );
  const raw = await assembleRows(
    path,
    count,
    [...columns, ...labels],
    { kind: 'last', count: labels.length },
    options,
    pacer,
    ids,
  );
  return {
    ...raw,
    classPerRow,
    warnings: [...raw.warnings, ...warnings, ...unnamed, ...arrays.unread(LABEL_NAMES)],
  };
}

interface Labels {
  labels: MatrixColumn[];
  classPerRow: boolean;
  warnings: DatasetWarning[];
}

function labelColumns(
  path: string,
  arrays: Arrays,
  features: NpyArray,
  count: number,
  dropMissing: boolean,
): Labels {
  const matrix = arrays.find(
    LABELSETS,
    (array) =>
      array !== features && array.dtype !== 'text' && array.shape.length === 2 && array.shape[0] === count,
  );
  const L = matrix?.shape[1] ?? 0;
  if (matrix && L === 1 && !holdsLabels(matrix)) return oneHot(path, arrays, matrix, count, dropMissing);
  if (matrix && L > 0) {
    const labelNames =
      texts(arrays.find(LABEL_NAMES, isTextOf(L))) ?? Array.from({ length: L }, (_, l) => `label${l}`);
    const labels = labelNames.map((name, l) => ({
      name,
      at: (row: number) => numberAt(matrix, row * L + l),
    }));
    return { labels, classPerRow: false, warnings: [] };
  }
  const classes = arrays.find(
    LABELSETS,
    (array) => array !== features && array.shape.length === 1 && array.shape[0] === count,
  );
  if (!classes) throw otherRows(path, arrays, features, count) ?? noLabels(path);
  return oneHot(path, arrays, classes, count, dropMissing);
}

/** What there is under the name of labels, where it is of other rows. */
function otherRows(path: string, arrays: Arrays, features: NpyArray, count: number): DatasetError | null {
  const odd = arrays.find(LABELSETS, (array) => array !== features && array.shape.length > 0);
  return (
    odd &&
    new DatasetError(
      'shape',
      `${path} holds labels of the shape ${odd.shape.join(' × ')} for ${count} rows of features.`,
      'Labels are one class per row, or a matrix with a row of 0 and 1 for each row of features.',
    )
  );
}

/** Whether a matrix of one column is a label, 1 and 0 or 1 and −1, and not one class number per row. */
function holdsLabels(matrix: NpyArray): boolean {
  const values = new Set(Array.from({ length: matrix.shape[0] ?? 0 }, (_, row) => numberAt(matrix, row)));
  // A missing value tells nothing: whether it may be there is asked later.
  values.delete(NaN);
  return !(values.has(0) && values.has(-1)) && [...values].every((value) => [1, 0, -1].includes(value));
}

/** One label per class, in the order of the numbers or of the names. */
function oneHot(
  path: string,
  arrays: Arrays,
  classes: NpyArray,
  count: number,
  dropMissing: boolean,
): Labels {
  const keys =
    classes.dtype === 'text'
      ? classes.data.map((text) => (isMissing(text.trim()) ? null : text))
      : Array.from({ length: count }, (_, row) => {
          const number = numberAt(classes, row);
          return Number.isNaN(number) ? null : number;
        });
  const odd = keys.findIndex((key) => typeof key === 'number' && !Number.isInteger(key));
  if (odd >= 0)
    throw new DatasetError(
      'bad-label',
      `${path}, row ${odd + 1}: the class is ${keys[odd] ?? ''}, which is no whole number.`,
      'Give one class number or name per row, or a matrix of labels with one column of 0 and 1 per label.',
      odd + 1,
    );
  const distinct = [...new Set(keys.filter((key) => key !== null))].sort((a, b) =>
    typeof a === 'number' && typeof b === 'number' ? a - b : a < b ? -1 : 1,
  );
  if (distinct.length > MAX_CLASSES)
    throw new DatasetError(
      'bad-label',
      `${path} holds ${distinct.length} different class numbers for ${count} rows.`,
      `At most ${MAX_CLASSES} classes are read. Are these class numbers, and not values or row numbers?`,
    );
  // Names fit where every number is a place in their list.
  const named = texts(
    arrays.find(
      LABEL_NAMES,
      (array) =>
        array.dtype === 'text' && array.shape.length === 1 && distinct.every((key) => isPlace(key, array)),
    ),
  );
  const nameOf = (key: string | number): string =>
    typeof key === 'string' ? key : (named?.[key] ?? `class${key}`);
  return {
    labels: distinct.map((key) => ({
      name: nameOf(key),
      at: (row: number) => (keys[row] === null && dropMissing ? NaN : keys[row] === key ? 1 : 0),
    })),
    classPerRow: true,
    warnings: [
      {
        code: 'class-numbers',
        message: `The file gives one class per row; each of the ${distinct.length} classes became a label.`,
      },
    ],
  };
}

const isPlace = (key: string | number, array: NpyArray): boolean =>
  typeof key === 'number' && key >= 0 && key < (array.shape[0] ?? 0);

/** The arrays of a file. Those that cannot be read are as if they were not there, and remembered. */
class Arrays {
  readonly #archive: NpzArchive;
  readonly #read = new Map<string, NpyArray | null>();
  readonly #unread = new Map<string, string>();

  constructor(archive: NpzArchive) {
    this.#archive = archive;
  }

  find(names: readonly string[], fits: (array: NpyArray) => boolean): NpyArray | null {
    for (const name of names) {
      const array = this.#get(name);
      if (array && fits(array)) return array;
    }
    return null;
  }

  /** What there is, for messages. */
  contents(): string {
    const { names } = this.#archive;
    if (names.length === 0) return 'no arrays';
    return names
      .slice(0, 20)
      .map((name) => (this.#unread.has(name) ? `${name} (${this.#unread.get(name) ?? ''})` : name))
      .join(', ');
  }

  unread(names: readonly string[]): DatasetWarning[] {
    return names.flatMap((name): DatasetWarning[] =>
      this.#unread.has(name)
        ? [{ code: 'names-unread', message: `“${name}” is not read: ${this.#unread.get(name) ?? ''}.` }]
        : [],
    );
  }

  #get(name: string): NpyArray | null {
    const known = this.#read.get(name);
    if (known !== undefined) return known;
    let array: NpyArray | null = null;
    try {
      array = this.#archive.read(name);
    } catch (error) {
      if (!(error instanceof TensorFormatError)) throw error;
      this.#unread.set(name, error.message);
    }
    this.#read.set(name, array);
    return array;
  }
}

async function load(path: string): Promise<Arrays> {
  try {
    return new Arrays(new NpzArchive(await readBounded(path, MAX_NPZ_BYTES)));
  } catch (error) {
    if (error instanceof TensorFormatError)
      throw new DatasetError(
        'unreadable',
        `${path} cannot be read: ${error.message}.`,
        'Save it with numpy.savez, without pickle.',
      );
    if (error instanceof FileReadError && error.problem === 'too-large')
      throw new DatasetError(
        'too-large',
        `${path} is larger than ${MAX_NPZ_BYTES / 2 ** 30} GiB.`,
        'Save it as Parquet, or fewer rows.',
      );
    throw readFailure(path, error, 'An .npz file is expected.');
  }
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
