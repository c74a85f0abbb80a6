import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetMetadata, type FileMetaData, type SchemaElement } from 'hyparquet';
import { ByteWriter, parquetWriteBuffer } from 'hyparquet-writer';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/temporary.ts';
import { readAnyDataset } from '../../support/workers.ts';

/** Every way in which programs have written a list of numbers into a Parquet table. */
let folder = '';
beforeAll(async () => {
  folder = await temporaryFolder();
});

const VECTORS = [
  [1.5, -2],
  [0.25, 4],
  [-0.125, 6],
];

/** A table of a list `z` and a label, in the three-level form, whose groups are named and whose levels are as told. */
function threeLevels(
  [outer, middle, inner]: readonly [SchemaElement, SchemaElement, SchemaElement],
  vectors: unknown[] = VECTORS,
): Uint8Array {
  return new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: 'z', data: vectors },
        { name: 'rock', data: [true, false, true] },
      ],
      schema: [
        { name: 'root', num_children: 2 },
        outer,
        middle,
        inner,
        { name: 'rock', type: 'BOOLEAN', repetition_type: 'REQUIRED' },
      ],
    }),
  );
}

const outer = (repetition: 'OPTIONAL' | 'REQUIRED'): SchemaElement => ({
  name: 'z',
  num_children: 1,
  converted_type: 'LIST',
  repetition_type: repetition,
});
const group = (name: string): SchemaElement => ({ name, num_children: 1, repetition_type: 'REPEATED' });
const leaf = (
  name: string,
  type: 'FLOAT' | 'DOUBLE',
  repetition: 'OPTIONAL' | 'REQUIRED',
): SchemaElement => ({
  name,
  type,
  repetition_type: repetition,
});

/**
 * The same pages under another schema: a list whose repeated group holds one required value has the levels of a repeated
 * value, so only the end of the file tells them apart.
 */
function withSchema(bytes: Uint8Array, schema: SchemaElement[], path: string[]): Uint8Array {
  const metadata = parquetMetadata(bytes.slice().buffer);
  const rows = metadata.row_groups.map((rowGroup) => ({
    ...rowGroup,
    columns: rowGroup.columns.map((column) =>
      column.meta_data?.path_in_schema[0] === 'z'
        ? { ...column, meta_data: { ...column.meta_data, path_in_schema: path } }
        : column,
    ),
  }));
  const [root, , , , rock] = metadata.schema;
  const changed: FileMetaData = {
    ...metadata,
    schema: [root, ...schema, rock].filter((element) => element !== undefined),
    row_groups: rows,
  };
  const footer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).readUInt32LE(bytes.length - 8);
  const writer = new ByteWriter();
  writer.appendBytes(bytes.subarray(0, bytes.length - 8 - footer));
  writeMetadata(writer, changed);
  writer.appendUint32(0x31524150);
  return writer.getBytes();
}

const modern = threeLevels([outer('OPTIONAL'), group('list'), leaf('element', 'FLOAT', 'REQUIRED')]);
const repeated = (name: string): SchemaElement => ({ name, type: 'FLOAT', repetition_type: 'REPEATED' });

describe('a list of numbers', () => {
  it.each<[string, () => Uint8Array]>([
    ['as the format says today', () => modern],
    [
      'of required doubles',
      () => threeLevels([outer('REQUIRED'), group('list'), leaf('element', 'DOUBLE', 'REQUIRED')]),
    ],
    [
      "in Arrow's old names",
      () => threeLevels([outer('OPTIONAL'), group('list'), leaf('item', 'FLOAT', 'OPTIONAL')]),
    ],
    [
      "in Hive's names",
      () => threeLevels([outer('OPTIONAL'), group('bag'), leaf('array_element', 'FLOAT', 'OPTIONAL')]),
    ],
    [
      "in Avro's two levels",
      () => withSchema(modern, [outer('OPTIONAL'), repeated('array')], ['z', 'array']),
    ],
    [
      "in Thrift's two levels",
      () => withSchema(modern, [outer('OPTIONAL'), repeated('z_tuple')], ['z', 'z_tuple']),
    ],
    [
      "in Protobuf's single level",
      () =>
        withSchema(
          threeLevels([outer('REQUIRED'), group('list'), leaf('element', 'FLOAT', 'REQUIRED')]),
          [repeated('z')],
          ['z'],
        ),
    ],
  ])('%s is a feature per element', async (_, bytes) => {
    const path = join(folder, 'list.parquet');
    writeFileSync(path, bytes());
    const set = await readAnyDataset(path, { labels: { kind: 'last', count: 1 } });
    expect([set.featureNames, [...set.features], set.labelNames, [...set.labels]]).toEqual([
      ['z_0', 'z_1'],
      VECTORS.flat(),
      ['rock'],
      [1, 0, 1],
    ]);
  });

  it('that is missing drops its row, and a list of lists is left out with a note', async () => {
    const path = join(folder, 'missing.parquet');
    const shape = [outer('OPTIONAL'), group('list'), leaf('element', 'FLOAT', 'OPTIONAL')] as const;
    writeFileSync(path, threeLevels(shape, [[1, 2], null, [5, 6]]));
    const options = { labels: { kind: 'last', count: 1 }, missing: 'drop-rows' } as const;
    expect([...(await readAnyDataset(path, options)).features]).toEqual([1, 2, 5, 6]);
    await expect(readAnyDataset(path, { labels: options.labels })).rejects.toMatchObject({
      code: 'not-a-number',
      line: 2,
    });
  });
});
