import {
  npyBytes,
  npzPieces,
  TensorFormatError,
  type NpyPieces,
  type TensorData,
  type TextArray,
} from '../../../models/tensors/index.ts';
import { EngineError } from '../../api/errors.ts';
import type { Field } from './fields.ts';
import type { ExportedRow, RowReader } from './rows.ts';

/** Fields that become arrays: other text stays in the tables, as an array of text is as wide as its longest. */
const ARRAYS = new Set([
  ...['path', 'duration_seconds', 'prediction', 'probability', 'correct', 'split', 'year', 'bpm', 'left_out'],
  ...[
    'content_hash',
    'window_index',
    'start_seconds',
    'window_seconds',
    'window_prediction',
    'window_probability',
  ],
]);
/** What a ZIP of the common form holds, less what stands around the arrays. */
const MOST_BYTES = 2 ** 32 - 2 ** 20;
/** In place of whole numbers that are not known. */
const UNKNOWN = -1;

type Arrays = Record<string, NpyPieces | TextArray>;

/**
 * NumPy arrays with a row for each row of the tables: numbers that are not known are NaN, whole ones −1, text empty. Labels
 * are a matrix of 0 and 1 whose columns `label_names` names.
 * @throws EngineError `bad-input` for more than an .npz holds; what reading throws
 */
export async function* trackNpz(
  reader: RowReader,
  fields: readonly Field[],
  labelNames: readonly string[] | null,
): AsyncGenerator<Uint8Array> {
  const arrays: Arrays = {
    ...(await known(reader, fields, labelNames)),
    ...planned(reader),
    ...Object.fromEntries(
      reader.plan.spaces.map(({ column, dim }, s) => [
        column,
        { dtype: 'float32' as const, shape: [reader.plan.count, dim], pieces: vectorsOf(reader, s, dim) },
      ]),
    ),
  };
  const total = Object.values(arrays).reduce(
    (sum, array) => sum + (array.dtype === 'text' ? textBytes(array.data) : npyBytes(array)),
    0,
  );
  if (total > MOST_BYTES)
    throw new EngineError(
      'bad-input',
      'These arrays are larger than an NPZ can be, which is 4 GB.',
      'Export Parquet in its place, fewer spaces, or tracks in place of windows.',
    );
  try {
    yield* npzPieces(arrays);
  } catch (thrown) {
    if (!(thrown instanceof TensorFormatError)) throw thrown;
    throw new EngineError('internal', `The arrays could not be written: ${thrown.message}.`);
  }
}

/** What is said of each row in single values, read in one go, and its labels. */
async function known(
  reader: RowReader,
  fields: readonly Field[],
  labelNames: readonly string[] | null,
): Promise<Arrays> {
  const { count } = reader.plan;
  const kept = fields.filter(({ name }) => ARRAYS.has(name));
  const columns = kept.map((field) =>
    new Array<string | number>(count).fill(field.type === 'text' ? '' : NaN),
  );
  const L = labelNames?.length ?? 0;
  const labels = new Uint8Array(count * L);
  const at = new Map(labelNames?.map((name, l) => [name, l]));
  let row = 0;
  for await (const rows of reader.batches({ vectors: false }))
    for (const each of rows) {
      kept.forEach((field, c) => {
        const value = field.type === 'texts' ? null : field.of(each);
        const column = columns[c];
        if (column && value !== null) column[row] = typeof value === 'boolean' ? Number(value) : value;
      });
      for (const label of each.track.labels) {
        const l = at.get(label);
        if (l !== undefined) labels[row * L + l] = 1;
      }
      row += 1;
    }
  return {
    ...Object.fromEntries(kept.map(({ name, type }, c) => [name, arrayOf(type, columns[c] ?? [])])),
    ...(labelNames === null
      ? {}
      : {
          label_names: { dtype: 'text' as const, shape: [L], data: [...labelNames] },
          labels: whole('uint8', [count, L], labels),
        }),
  };
}

function arrayOf(type: Field['type'], values: readonly (string | number)[]): NpyPieces | TextArray {
  const shape = [values.length];
  if (type === 'text') return { dtype: 'text', shape, data: values.map(String) };
  if (type === 'number') return whole('float64', shape, Float64Array.from(values, Number));
  return whole(
    'int32',
    shape,
    Int32Array.from(values, (value) => (Number.isNaN(value) ? UNKNOWN : Number(value))),
  );
}

/** What the plan holds: map and neighbours. */
function planned({ plan: { map, neighbours, count } }: RowReader): Arrays {
  const width = neighbours?.reduce((most, own) => Math.max(most, own?.ids.length ?? 0), 0) ?? 0;
  const ids = new Int32Array(count * width).fill(UNKNOWN);
  const distances = new Float64Array(count * width).fill(NaN);
  neighbours?.forEach((own, row) => {
    ids.set(own?.ids ?? [], row * width);
    distances.set(own?.distances ?? [], row * width);
  });
  return {
    ...(map ? { x: whole('float32', [count], map.x), y: whole('float32', [count], map.y) } : {}),
    ...(neighbours
      ? {
          neighbor_ids: whole('int32', [count, width], ids),
          neighbor_distances: whole('float64', [count, width], distances),
        }
      : {}),
  };
}

function whole(dtype: NpyPieces['dtype'], shape: number[], data: TensorData): NpyPieces {
  async function* pieces(): AsyncGenerator<TensorData> {
    await Promise.resolve();
    yield data;
  }
  return { dtype, shape, pieces: pieces() };
}

async function* vectorsOf(reader: RowReader, s: number, dim: number): AsyncGenerator<Float32Array> {
  const vectorOf = ({ vectors }: ExportedRow): Float32Array => vectors[s] ?? new Float32Array(dim).fill(NaN);
  for await (const rows of reader.batches()) {
    const piece = new Float32Array(rows.length * dim);
    rows.forEach((row, i) => piece.set(vectorOf(row), i * dim));
    yield piece;
  }
}

function textBytes(words: readonly string[]): number {
  return 4 * words.length * words.reduce((most, word) => Math.max(most, word.length), 1);
}
