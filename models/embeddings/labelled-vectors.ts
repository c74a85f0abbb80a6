import { NumericError } from '../numerics/errors.ts';
import type { Pacer } from '../numerics/pacer.ts';
import type { Vectors } from '../numerics/vectors.ts';

/**
 * Vectors with labelsets: the one form in which embeddings, generated prototypes and the rows of a file are learned
 * from, split and scored. A *labelset* is one whole row of `labels`.
 */
export interface LabelledVectors<V extends Vectors = Vectors> {
  /** `[count, dim]`, row-major, finite. */
  features: V;
  count: number;
  dim: number;
  /** `[count, labelNames.length]`, row-major, 0 or 1. */
  labels: Uint8Array;
  labelNames: string[];
  /** Left out where every row is a track of its own. */
  tracks?: RowTracks;
}

/** Whose windows the rows are. */
export interface RowTracks {
  /** `[count]`: number of each row's track; the windows of a track bear one labelset. */
  of: Int32Array;
  /** What tells each track from all others: its id or path. */
  ids: readonly string[];
  /** Group of each track: those of one group (artist, album, copies of one recording) never part in a split. */
  groups: readonly string[];
}

/** Window embeddings of labelled tracks. */
export type LabelledWindows = LabelledVectors<Float32Array> & { tracks: RowTracks };

/**
 * Checks sizes, finiteness and label values.
 * @throws NumericError `empty`, `no-labels`, `shape`, `not-finite` or `bad-label`.
 */
export async function checkSet(set: LabelledVectors, pacer: Pacer, what = 'The data set'): Promise<void> {
  const labelCount = set.labelNames.length;
  if (set.count < 1) throw new NumericError('empty', `${what} has no rows.`, 'Add tracks with labels first.');
  if (labelCount < 1)
    throw new NumericError('no-labels', `${what} has no labels.`, 'Choose or create a taxonomy first.');
  if (set.dim < 1 || set.features.length !== set.count * set.dim)
    throw new NumericError(
      'shape',
      `${what} should hold ${set.count} × ${set.dim} features but holds ${set.features.length}.`,
      'Every row needs the same number of features.',
    );
  if (set.labels.length !== set.count * labelCount)
    throw new NumericError(
      'shape',
      `${what} should hold ${set.count} × ${labelCount} labels but holds ${set.labels.length}.`,
      'Every row needs one 0/1 value per label.',
    );
  await checkFinite(set.features, set.dim, pacer, what);
  const bad = set.labels.findIndex((value) => value > 1);
  if (bad >= 0)
    throw new NumericError(
      'bad-label',
      `${what}: row ${Math.floor(bad / labelCount)} has the label value ${set.labels[bad] ?? '?'}.`,
      'Labels are 0 or 1.',
    );
}

/**
 * @param firstRow number of the first of these rows, where they are a part
 * @throws NumericError `not-finite` naming the first row with NaN or an infinity.
 */
export async function checkFinite(
  features: Vectors,
  dim: number,
  pacer: Pacer,
  what: string,
  firstRow = 0,
): Promise<void> {
  for (let i = 0; i < features.length; i++) {
    if (!Number.isFinite(features[i]))
      throw new NumericError(
        'not-finite',
        `${what}: row ${firstRow + Math.floor(i / dim)} holds ${String(features[i])} in column ${i % dim}.`,
        'Remove the row, or compute its embedding again.',
      );
    if ((i & 0xffff) === 0 && pacer.due(0x10000)) await pacer.pause();
  }
}

/**
 * Number of every row's labelset, counted by first appearance (equal rows ↔ equal numbers).
 * @returns `ids[count]` and, per number, the first row that bears it.
 */
export function labelsetIds(
  labels: Uint8Array,
  count: number,
  labelCount: number,
): { ids: Int32Array; firstRow: number[] } {
  const numbers = new Map<string, number>();
  const ids = new Int32Array(count);
  const firstRow: number[] = [];
  const bytes = Buffer.from(labels.buffer, labels.byteOffset, labels.byteLength);
  for (let row = 0; row < count; row++) {
    const key = bytes.toString('latin1', row * labelCount, (row + 1) * labelCount);
    let id = numbers.get(key);
    if (id === undefined) {
      id = firstRow.length;
      numbers.set(key, id);
      firstRow.push(row);
    }
    ids[row] = id;
  }
  return { ids, firstRow };
}

/**
 * The given rows as a set of their own, in the given order; a row may occur several times. Tracks keep their numbers.
 * @throws RangeError for a row that is not there.
 */
export function takeRows(set: LabelledVectors, rows: ArrayLike<number>): LabelledVectors {
  const { dim, labelNames } = set;
  const width = labelNames.length;
  const features = new (set.features instanceof Float64Array ? Float64Array : Float32Array)(
    rows.length * dim,
  );
  const labels = new Uint8Array(rows.length * width);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i];
    if (row === undefined || !Number.isInteger(row) || row < 0 || row >= set.count)
      throw new RangeError(`there is no row ${String(row)} among ${set.count}`);
    features.set(set.features.subarray(row * dim, (row + 1) * dim), i * dim);
    labels.set(set.labels.subarray(row * width, (row + 1) * width), i * width);
  }
  const taken = { features, count: rows.length, dim, labels, labelNames };
  if (!set.tracks) return taken;
  const { of, ...named } = set.tracks;
  return { ...taken, tracks: { ...named, of: Int32Array.from(rows, (row) => of[row] ?? 0) } };
}

/** Labelsets with one label each. @param columns the label of each row, `< width` */
export function oneHot(columns: ArrayLike<number>, width: number): Uint8Array {
  const out = new Uint8Array(columns.length * width);
  for (let row = 0; row < columns.length; row++) out[row * width + (columns[row] ?? 0)] = 1;
  return out;
}
