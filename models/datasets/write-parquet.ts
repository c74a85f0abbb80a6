import { ByteWriter, parquetWrite, type ColumnSource } from 'hyparquet-writer';
import type { WritableSet } from './types.ts';

/** Key of the file's own metadata under which the names of all labels and features stand, as JSON. */
export const PARQUET_KEY = 'archetone.dataset';

/** Neighbours of one row among the rows of the same table: places from 0, and their distances. */
export interface RowNeighbours {
  ids: number[];
  distances: number[];
}

/** What makes the table one that opens in embedding-atlas. */
export interface ParquetMap {
  /** `[count]` each, where a row lies on the map. */
  x: ArrayLike<number>;
  y: ArrayLike<number>;
  neighbors: readonly RowNeighbours[];
}

/** A further column: text, or whole numbers. */
export type ParquetColumn = { name: string; text: (string | null)[] } | { name: string; integers: number[] };

type Schema = NonNullable<Parameters<typeof parquetWrite>[0]['schema']>;

/**
 * A Parquet table (Snappy) with one row per prototype. embedding-atlas shows it with
 * `--x x --y y --neighbors neighbors`, where `neighbors` is a struct of `ids` (rows from 0) and `distances`. `labels`
 * is the list of labels, `labelset` the same as one text, `vector` the features; their names are in the file's
 * metadata, so that {@link readParquetDataset} gives back the very set. Equal input gives equal bytes.
 */
export async function writeDatasetParquet(
  set: WritableSet,
  map: ParquetMap,
  more: readonly ParquetColumn[],
): Promise<Uint8Array> {
  const { name, features, count, dim, labels, labelNames, featureNames } = set;
  const L = labelNames.length;
  const rows = Array.from({ length: count }, (_, i) => i);
  const labelsets = rows.map((i) => labelNames.filter((_, l) => labels[i * L + l] === 1));
  const number = features instanceof Float32Array ? 'FLOAT' : 'DOUBLE';
  const columns: [ColumnSource, Schema][] = [
    plain('index', 'INT32', rows),
    plain(
      'labelset',
      'STRING',
      labelsets.map((borne) => borne.join('; ')),
    ),
    ...more.map((column) =>
      'text' in column
        ? plain(column.name, 'STRING', column.text, true)
        : plain(column.name, 'INT32', column.integers),
    ),
    plain('x', 'FLOAT', Array.from(map.x)),
    plain('y', 'FLOAT', Array.from(map.y)),
    [
      { name: 'neighbors', data: [...map.neighbors] },
      [
        { name: 'neighbors', repetition_type: 'REQUIRED', num_children: 2 },
        ...list('ids', { type: 'INT32' }),
        ...list('distances', { type: 'DOUBLE' }),
      ],
    ],
    [{ name: 'labels', data: labelsets }, list('labels', { type: 'BYTE_ARRAY', converted_type: 'UTF8' })],
    [
      { name: 'vector', data: rows.map((i) => Array.from(features.subarray(i * dim, (i + 1) * dim))) },
      list('vector', { type: number }),
    ],
  ];
  const writer = new ByteWriter();
  await parquetWrite({
    writer,
    columnData: columns.map(([column]) => column),
    schema: [{ name: 'root', num_children: columns.length }, ...columns.flatMap(([, schema]) => schema)],
    kvMetadata: [
      { key: PARQUET_KEY, value: JSON.stringify({ name, labels: labelNames, features: featureNames }) },
    ],
    createdBy: 'archetone',
  });
  return writer.getBytes();
}

function plain(
  name: string,
  type: 'INT32' | 'FLOAT' | 'STRING',
  data: readonly (string | number | null)[],
  optional = false,
): [ColumnSource, Schema] {
  const element =
    type === 'STRING' ? { type: 'BYTE_ARRAY' as const, converted_type: 'UTF8' as const } : { type };
  return [
    { name, data: [...data] },
    [{ name, ...element, repetition_type: optional ? 'OPTIONAL' : 'REQUIRED' }],
  ];
}

/** The three-level form of a list that every reader knows. */
function list(name: string, element: Partial<Schema[number]>): Schema {
  return [
    { name, repetition_type: 'REQUIRED', converted_type: 'LIST', num_children: 1 },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', repetition_type: 'REQUIRED', ...element },
  ];
}
