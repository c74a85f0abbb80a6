import {
  listColumn,
  neighboursColumn,
  parquetPieces,
  plainColumn,
  type ParquetSchema,
  type PiecedColumn,
} from '../../../models/datasets/index.ts';
import type { Field, FieldType } from './fields.ts';
import type { ExportedRow, RowReader } from './rows.ts';
import type { TablePlan } from './plan.ts';

/** Key of the file's own metadata under which it says what its columns of embeddings are, as JSON. */
const PARQUET_KEY = 'archetone.tracks';

const schemas: Readonly<Record<FieldType, (name: string) => ParquetSchema>> = {
  text: (name) => plainColumn(name, 'text', true),
  integer: (name) => plainColumn(name, 'integer', true),
  number: (name) => plainColumn(name, 'double', true),
  flag: (name) => plainColumn(name, 'boolean', true),
  texts: (name) => listColumn(name, 'text'),
};

interface Column extends PiecedColumn {
  of: (row: ExportedRow) => unknown;
}

function columnsOf(plan: TablePlan, fields: readonly Field[]): Column[] {
  return [
    { name: 'index', schema: plainColumn('index', 'integer'), of: () => 0 },
    ...fields.map((field) => ({
      name: field.name,
      schema: schemas[field.type](field.name),
      of: (row: ExportedRow) => field.of(row),
    })),
    ...(plan.map
      ? [
          { name: 'x', schema: plainColumn('x', 'float', true), of: ({ place }: ExportedRow) => place?.x },
          { name: 'y', schema: plainColumn('y', 'float', true), of: ({ place }: ExportedRow) => place?.y },
        ]
      : []),
    ...(plan.neighbours
      ? [
          {
            name: 'neighbors',
            schema: neighboursColumn('neighbors'),
            // embedding-atlas takes no row without them.
            of: ({ neighbours }: ExportedRow) => neighbours ?? { ids: [], distances: [] },
          },
        ]
      : []),
    ...plan.spaces.map(({ column }, s) => ({
      name: column,
      schema: listColumn(column, 'float', true),
      of: ({ vectors }: ExportedRow) => {
        const vector = vectors[s];
        return vector ? Array.from(vector) : null;
      },
    })),
  ];
}

/**
 * A table that opens in embedding-atlas: `--x x --y y --neighbors neighbors --vector vector`. `index` numbers the rows, which
 * neighbours name.
 */
export function trackParquet(reader: RowReader, fields: readonly Field[]): AsyncGenerator<Uint8Array> {
  const columns = columnsOf(reader.plan, fields);
  async function* groups(): AsyncGenerator<unknown[][]> {
    let first = 0;
    for await (const rows of reader.batches()) {
      const start = first;
      first += rows.length;
      yield columns.map(({ name, of }) =>
        name === 'index' ? rows.map((_, i) => start + i) : rows.map((row) => of(row)),
      );
    }
  }
  const spaces = reader.plan.spaces.map(({ column, space }) => ({
    column,
    space: space.key,
    pack: space.packId,
  }));
  return parquetPieces(columns, groups(), {
    [PARQUET_KEY]: JSON.stringify({ level: reader.plan.level, spaces }),
  });
}
