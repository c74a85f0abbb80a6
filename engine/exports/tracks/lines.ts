import { csvLine, type Cell } from '../../bundles/csv.ts';
import type { Field } from './fields.ts';
import type { ExportedRow, RowReader } from './rows.ts';
import type { TablePlan } from './plan.ts';

/** CSV: lists are joined by semicolons, and each number of an embedding has its column. */
export async function* csvPieces(
  reader: RowReader,
  fields: readonly Field[],
  raw: boolean,
): AsyncGenerator<string> {
  const { plan } = reader;
  const header = [
    ...fields.map(({ name }) => name),
    ...(plan.map ? ['x', 'y'] : []),
    ...(plan.neighbours ? ['neighbor_ids', 'neighbor_distances'] : []),
    ...plan.spaces.flatMap(({ column, dim }) =>
      Array.from({ length: dim }, (_, d) => (plan.spaces.length === 1 ? `z${d}` : `${column}:z${d}`)),
    ),
  ];
  yield csvLine(header, raw);
  for await (const rows of reader.batches())
    yield rows
      .map((row) =>
        csvLine(
          [
            ...fields.map((field) => cellOf(field, row)),
            ...(plan.map ? [row.place?.x ?? null, row.place?.y ?? null] : []),
            ...(plan.neighbours
              ? [row.neighbours?.ids.join(';') ?? null, row.neighbours?.distances.join(';') ?? null]
              : []),
            ...row.vectors.flatMap((vector, s): Cell[] =>
              vector ? Array.from(vector) : Array.from({ length: plan.spaces[s]?.dim ?? 0 }, () => null),
            ),
          ],
          raw,
        ),
      )
      .join('');
}

function cellOf(field: Field, row: ExportedRow): Cell {
  if (field.type === 'texts') return field.of(row).join(';');
  const value = field.of(row);
  return typeof value === 'boolean' ? String(value) : value;
}

/** A row as an object: what is not known is null. */
function objectOf(row: ExportedRow, fields: readonly Field[], plan: TablePlan): Record<string, unknown> {
  return {
    ...Object.fromEntries(fields.map((field) => [field.name, field.of(row)])),
    ...(plan.map ? { x: row.place?.x ?? null, y: row.place?.y ?? null } : {}),
    ...(plan.neighbours ? { neighbors: row.neighbours } : {}),
    ...Object.fromEntries(
      plan.spaces.map(({ column }, s) => {
        const vector = row.vectors[s];
        return [column, vector ? Array.from(vector) : null];
      }),
    ),
  };
}

/** An object per line. */
export async function* jsonPieces(reader: RowReader, fields: readonly Field[]): AsyncGenerator<string> {
  for await (const rows of reader.batches())
    yield rows.map((row) => `${JSON.stringify(objectOf(row, fields, reader.plan))}\n`).join('');
}

/**
 * Metadata as `load_dataset("audiofolder", …)` of Hugging Face reads it.
 * @param fileOf what each track's file is called from the folder in which the metadata stand
 */
export async function* audioFolderPieces(
  reader: RowReader,
  fields: readonly Field[],
  fileOf: (trackId: string, path: string) => string,
): AsyncGenerator<string> {
  const more = fields.filter(({ name }) => name !== 'path');
  for await (const rows of reader.batches())
    yield rows
      .map((row) => {
        const metadata = {
          file_name: fileOf(row.track.id, row.track.path),
          ...objectOf(row, more, reader.plan),
        };
        return `${JSON.stringify(metadata)}\n`;
      })
      .join('');
}
