import { ByteWriter, parquetWrite, type ColumnSource } from 'hyparquet-writer';
import { listColumn, neighboursColumn, plainColumn, type ParquetSchema } from './parquet-schema.ts';
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
  const number = features instanceof Float32Array ? 'float' : 'double';
  const columns: [ColumnSource, ParquetSchema][] = [
    [{ name: 'index', data: rows }, plainColumn('index', 'integer')],
    [{ name: 'labelset', data: labelsets.map((borne) => borne.join('; ')) }, plainColumn('labelset', 'text')],
    ...more.map((column): [ColumnSource, ParquetSchema] =>
      'text' in column
        ? [{ name: column.name, data: [...column.text] }, plainColumn(column.name, 'text', true)]
        : [{ name: column.name, data: [...column.integers] }, plainColumn(column.name, 'integer')],
    ),
    [{ name: 'x', data: Array.from(map.x) }, plainColumn('x', 'float')],
    [{ name: 'y', data: Array.from(map.y) }, plainColumn('y', 'float')],
    [{ name: 'neighbors', data: [...map.neighbors] }, neighboursColumn('neighbors')],
    [{ name: 'labels', data: labelsets }, listColumn('labels', 'text')],
    [
      { name: 'vector', data: rows.map((i) => Array.from(features.subarray(i * dim, (i + 1) * dim))) },
      listColumn('vector', number),
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
