import type { parquetWrite } from 'hyparquet-writer';

/** Elements of a table's schema. */
export type ParquetSchema = NonNullable<Parameters<typeof parquetWrite>[0]['schema']>;
type Element = Partial<ParquetSchema[number]>;

/** What a value of a column is. */
export type ParquetType = 'text' | 'integer' | 'float' | 'double' | 'boolean';

const elements: Readonly<Record<ParquetType, Element>> = {
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  integer: { type: 'INT32' },
  float: { type: 'FLOAT' },
  double: { type: 'DOUBLE' },
  boolean: { type: 'BOOLEAN' },
};

const repetition = (optional: boolean): Pick<ParquetSchema[number], 'repetition_type'> => ({
  repetition_type: optional ? 'OPTIONAL' : 'REQUIRED',
});

/** A column of single values. */
export function plainColumn(name: string, type: ParquetType, optional = false): ParquetSchema {
  return [{ name, ...elements[type], ...repetition(optional) }];
}

/** A column of lists, in the three-level form that every reader knows. */
export function listColumn(name: string, type: ParquetType, optional = false): ParquetSchema {
  return [
    { name, ...repetition(optional), converted_type: 'LIST', num_children: 1 },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', repetition_type: 'REQUIRED', ...elements[type] },
  ];
}

/** What embedding-atlas takes for `--neighbors`: `ids`, rows from 0, and their `distances`. */
export function neighboursColumn(name: string, optional = false): ParquetSchema {
  return [
    { name, ...repetition(optional), num_children: 2 },
    ...listColumn('ids', 'integer'),
    ...listColumn('distances', 'double'),
  ];
}
