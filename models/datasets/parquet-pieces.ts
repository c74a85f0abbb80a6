import { ByteWriter, ParquetWriter, type ColumnSource } from 'hyparquet-writer';
import type { ParquetSchema } from './parquet-schema.ts';

/** A column of a table that comes in groups of rows. */
export interface PiecedColumn {
  name: string;
  schema: ParquetSchema;
}

/**
 * A Parquet table (Snappy) in pieces, one for each group of rows: a table may be larger than memory. Equal input gives equal
 * bytes.
 * @param groups the values of every column, in their order
 * @param metadata the file's own
 */
export async function* parquetPieces(
  columns: readonly PiecedColumn[],
  groups: AsyncIterable<readonly unknown[][]>,
  metadata: Readonly<Record<string, string>>,
): AsyncGenerator<Uint8Array> {
  const writer = new ByteWriter();
  const taken = (): Uint8Array => {
    const bytes = writer.getBytes().slice();
    // `offset`, which the footer is made of, counts on.
    writer.index = 0;
    return bytes;
  };
  const parquet = new ParquetWriter({
    writer,
    schema: [{ name: 'root', num_children: columns.length }, ...columns.flatMap(({ schema }) => schema)],
    kvMetadata: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    createdBy: 'archetone',
  });
  for await (const group of groups) {
    const columnData = columns.map(({ name }, c): ColumnSource => ({ name, data: group[c] ?? [] }));
    await parquet.write({ columnData, rowGroupSize: Math.max(1, group[0]?.length ?? 0) });
    yield taken();
  }
  await parquet.finish();
  yield taken();
}
