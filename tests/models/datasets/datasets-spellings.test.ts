import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  writeMeka,
  writeMulan,
  type ReadDatasetOptions,
  type WritableSet,
} from '../../../models/datasets/index.ts';
import { readNpy, writeNpy, type NpyArray } from '../../../models/tensors/index.ts';
import { temporaryFolder } from '../../support/temporary.ts';
import { readAnyDataset } from '../../support/workers.ts';

/** What one format accepts all accept: the same table in many spellings reads as the same data set. */
let folder = '';
beforeAll(async () => {
  folder = await temporaryFolder();
});

const last2: ReadDatasetOptions = { labels: { kind: 'last', count: 2 } };

async function read(name: string, bytes: string | Uint8Array, options: ReadDatasetOptions = {}) {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  const set = await readAnyDataset(path, options);
  return { ...set, features: [...set.features], labels: [...set.labels] };
}

const FEATURES = [1.5, -2, 0.25, 4, -0.125, 6];
const LABELS = [1, 0, 0, 1, 1, 1];
const table = {
  features: FEATURES,
  labels: LABELS,
  featureNames: ['x', 'y'],
  labelNames: ['rock', 'Größe'],
};
const HEADER = 'x,y,rock,Größe';
const ROWS = ['1.5,-2,1,0', '0.25,4,0,1', '-0.125,6,1,1'];
const csv = [HEADER, ...ROWS].join('\r\n');
const utf16 = (text: string, swap = false, mark = true): Buffer => {
  const bytes = Buffer.from(`${mark ? '\ufeff' : ''}${text}`, 'utf16le');
  return swap ? bytes.swap16() : bytes;
};

describe('a table in CSV', () => {
  it.each<[string, string | Uint8Array]>([
    ['plain', csv],
    [
      'True and False, as pandas writes',
      csv.replaceAll(/,([01])(?=[,\r]|$)/g, (_, bit) => (bit === '1' ? ',True' : ',False')),
    ],
    ['labels 1.0 and 0.0', csv.replaceAll(/,([01])(?=[,\r]|$)/g, ',$1.0')],
    ['labels yes and no', csv.replaceAll(/,([01])(?=[,\r]|$)/g, (_, bit) => (bit === '1' ? ',yes' : ',no'))],
    ['labels 1 and -1', csv.replaceAll(/,0(?=[,\r]|$)/g, ',-1')],
    ['semicolons', csv.replaceAll(',', ';')],
    ['semicolons and decimal commas', csv.replaceAll(',', ';').replaceAll('.', ',')],
    ['tabs and decimal commas', csv.replaceAll(',', '\t').replaceAll('.', ',')],
    ['bars', csv.replaceAll(',', '|')],
    ['blanks after commas', csv.replaceAll(',', ', ')],
    [
      'blanks after commas in rows alone',
      [HEADER, ...ROWS.map((row) => row.replaceAll(',', ', '))].join('\n'),
    ],
    ["Excel's line sep=", `sep=;\r\n${csv.replaceAll(',', ';')}`],
    ['a byte order mark', `\ufeff${csv}`],
    ['Latin-1', Buffer.from(csv, 'latin1')],
    ['UTF-16', utf16(csv)],
    ['big-endian UTF-16', utf16(csv, true)],
    ['UTF-16 without a mark', utf16(csv, false, false)],
    ['Windows line ends and a last column without name', csv.replaceAll(/(?=\r\n|$)/g, ',')],
    ["pandas' index", [`,${HEADER}`, ...ROWS.map((row, i) => `${i},${row}`)].join('\n')],
    ["R's row names", [HEADER, ...ROWS.map((row, i) => `"${i + 1}",${row}`)].join('\n')],
    [
      'columns of text and dates',
      [`file,day,${HEADER}`, ...ROWS.map((row, i) => `01 - a${i}.mp3,2024-01-0${i + 1},${row}`)].join('\n'),
    ],
    [
      'a column of text at its end',
      [`${HEADER},mood`, ...ROWS.map((row, i) => `${row},calm ${i}`)].join('\n'),
    ],
  ])('reads %s', async (name, bytes) => {
    expect(await read(`${name.replaceAll(/\W/g, '_')}.csv`, bytes, last2)).toMatchObject(table);
  });

  it('reads UTF-16 and Latin-1 packed', async () => {
    expect(await read('wide.csv.gz', gzipSync(utf16(csv)), last2)).toMatchObject(table);
    expect(await read('latin.csv.gz', gzipSync(Buffer.from(csv, 'latin1')), last2)).toMatchObject(table);
  });

  it.each([
    '',
    '?',
    'NA',
    'NULL',
    'None',
    '<NA>',
    '#N/A',
    '-nan',
    'NaN',
    'n/a',
    '\\N',
    'NaT',
    '.',
    '1.#QNAN',
  ])('knows “%s” as a missing value', async (word) => {
    const text = [HEADER, ROWS[0], `0.5,${word},1,0`, ROWS[1], `1,2,${word},0`, ROWS[2]].join('\n');
    expect(await read('missing.csv', text, { ...last2, missing: 'drop-rows' })).toMatchObject(table);
    await expect(read('missing.csv', text, last2)).rejects.toMatchObject({ code: 'not-a-number', line: 3 });
  });

  it('leaves out a column that hides among labels, and counts labels afterwards', async () => {
    const text = ['x,y,rock,id,Größe', '1.5,-2,1,7,0', '0.25,4,0,9,1', '-0.125,6,1,8,1'].join('\n');
    const set = await read('hidden.csv', text, { ...last2, exclude: ['id'] });
    expect(set).toMatchObject({ ...table, rowIds: ['7', '9', '8'] });
  });

  it('refuses what could mean two things', async () => {
    const mixed = ['x;y;l', '1,5;2;1', '1.5;3;0'].join('\n');
    await expect(read('mixed.csv', mixed, { labels: { kind: 'last', count: 1 } })).rejects.toMatchObject({
      code: 'not-a-number',
      line: 3,
      message: expect.stringContaining('decimal mark') as string,
    });
    const ternary = ['x,l', '1,1', '2,0', '3,-1'].join('\n');
    await expect(read('ternary.csv', ternary, { labels: { kind: 'last', count: 1 } })).rejects.toMatchObject({
      code: 'bad-label',
      line: 4,
    });
    // Numbers with marks for thousands are not text that may be passed over.
    const thousands = ['x;y;l', '1.234,5;2;1', '1.534,5;3;0', '1.934,5;3;0'].join('\n');
    await expect(
      read('thousands.csv', thousands, { labels: { kind: 'last', count: 1 } }),
    ).rejects.toMatchObject({
      code: 'not-a-number',
      line: 2,
    });
  });

  it('names what it left out', async () => {
    const text = [`,${HEADER},mood`, ...ROWS.map((row, i) => `${i},${row},calm`)].join('\n');
    const { warnings } = await read('notes.csv', text, last2);
    expect(warnings.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['index-excluded', 'text-excluded']),
    );
  });
});

describe('an ARFF file', () => {
  const arff = (labels = '{0,1}', rows = ROWS): string =>
    [
      '@relation t',
      '@attribute x numeric',
      '@attribute y numeric',
      `@attribute rock ${labels}`,
      `@attribute Größe ${labels}`,
      '@data',
      ...rows,
    ].join('\n');

  it.each<[string, string | Uint8Array]>([
    ['plain', arff()],
    ['Latin-1', Buffer.from(arff(), 'latin1')],
    ['UTF-16', utf16(arff())],
    ['big-endian UTF-16', utf16(arff(), true)],
    [
      'numeric labels that say True',
      arff(
        'numeric',
        ROWS.map((row) => row.replaceAll(/,1(?=,|$)/g, ',True').replaceAll(/,0(?=,|$)/g, ',False')),
      ),
    ],
    [
      'labels 1.0',
      arff(
        '{0.0,1.0}',
        ROWS.map((row) => row.replaceAll(/,([01])(?=,|$)/g, ',$1.0')),
      ),
    ],
    [
      'labels -1',
      arff(
        'numeric',
        ROWS.map((row) => row.replaceAll(/,0(?=,|$)/g, ',-1')),
      ),
    ],
    [
      "openSMILE's unknown type",
      arff()
        .replace('@data', '@attribute emotion unknown\n@data')
        .replaceAll(/^([-\d.]+,.*)$/gm, '$1,?'),
    ],
  ])('reads %s', async (name, bytes) => {
    expect(await read(`${name.replaceAll(/\W/g, '_')}.arff`, bytes, last2)).toMatchObject(table);
  });

  it.each(['?', 'NaN', 'NULL', 'NA', ''])('knows “%s” as a missing value', async (word) => {
    const text = arff('{0,1}', [...ROWS, `1,${word},0,1`]);
    expect(await read('missing.arff', text, { ...last2, missing: 'drop-rows' })).toMatchObject(table);
  });

  it('lets a column of a type that nobody knows be left out, and refuses it otherwise', async () => {
    const text = arff()
      .replace('@data', '@attribute odd matrix\n@data')
      .replaceAll(/^([-\d.]+,.*)$/gm, '$1,?');
    expect(await read('odd.arff', text, { ...last2, exclude: ['odd'] })).toMatchObject(table);
    await expect(read('odd.arff', text, last2)).rejects.toMatchObject({ code: 'syntax', line: 6 });
  });

  it('reads the XML beside it in Latin-1 and UTF-16, declared or not', async () => {
    const xml = '<labels><label name="rock"/><label name="Größe"/></labels>';
    const declared = `<?xml version="1.0" encoding="ISO-8859-1"?>\n${xml}`;
    for (const bytes of [
      Buffer.from(declared, 'latin1'),
      Buffer.from(xml, 'latin1'),
      utf16(xml),
      Buffer.from(xml),
    ]) {
      writeFileSync(join(folder, 'pair.xml'), bytes);
      expect(await read('pair.arff', Buffer.from(arff(), 'latin1'))).toMatchObject(table);
    }
  });

  it('keeps blanks at the ends of label names, and finds names from which a program cut them', async () => {
    const set: WritableSet = {
      ...{ name: 's', count: 1, dim: 1, features: Float64Array.of(1), featureNames: ['x'] },
      ...{ labels: Uint8Array.of(1, 0, 1), labelNames: [' lead', 'Rock ', 'drum & bass'] },
    };
    const { arff: lines, xml } = writeMulan(set);
    writeFileSync(join(folder, 'blank.xml'), xml);
    expect((await read('blank.arff', [...lines].join(''))).labelNames).toEqual(set.labelNames);
    writeFileSync(join(folder, 'blank.xml'), xml.replace('"Rock "', '"Rock"'));
    expect((await read('blank.arff', [...writeMulan(set).arff].join(''))).labelNames).toEqual(set.labelNames);
    expect((await read('blank-meka.arff', [...writeMeka(set)].join(''))).labelNames).toEqual(set.labelNames);
    const quoted = ['x,"label: lead","label:Rock ",label:drum & bass', '1,1,0,1'].join('\n');
    expect((await read('blank.csv', quoted)).labelNames).toEqual(set.labelNames);
  });
});

/** A .npy whose header says another type than the array's own, over its bytes as given. */
function npy(descr: string, shape: number[], body: Uint8Array): Uint8Array {
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(', ')},), }\n`;
  const head = Buffer.alloc(10);
  head.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  head.writeUInt16LE(text.length, 8);
  return Buffer.concat([head, Buffer.from(text, 'latin1'), body]);
}

const bytesOf = (array: Float32Array | Float64Array | BigInt64Array | Uint16Array): Buffer =>
  Buffer.from(array.buffer, array.byteOffset, array.byteLength);

describe('an .npz', () => {
  const X = npy('<f8', [3, 2], bytesOf(Float64Array.from(FEATURES)));
  const Y = npy('<i8', [3, 2], bytesOf(BigInt64Array.from(LABELS, BigInt)));
  const names = (...data: string[]): Uint8Array => writeNpy({ dtype: 'text', shape: [data.length], data });
  const archive = (members: Record<string, Uint8Array>): Uint8Array =>
    zipSync(Object.fromEntries(Object.entries(members).map(([name, bytes]) => [`${name}.npy`, bytes])));
  const rest = { Y, labels: names('rock', 'Größe'), feature_names: names('x', 'y') };
  const halves = Uint16Array.from([0x3e00, 0xc000, 0x3400, 0x4400, 0xb000, 0x4600]);

  it.each<[string, Record<string, Uint8Array>]>([
    ['float64', { X, ...rest }],
    ['big-endian float64', { X: npy('>f8', [3, 2], bytesOf(Float64Array.from(FEATURES)).swap64()), ...rest }],
    ['big-endian float32', { X: npy('>f4', [3, 2], bytesOf(Float32Array.from(FEATURES)).swap32()), ...rest }],
    ['float16', { X: npy('<f2', [3, 2], bytesOf(halves)), ...rest }],
    ['big-endian float16', { X: npy('>f2', [3, 2], bytesOf(halves.slice()).swap16()), ...rest }],
    [
      'big-endian labels',
      { X, ...rest, Y: npy('>i8', [3, 2], bytesOf(BigInt64Array.from(LABELS, BigInt)).swap64()) },
    ],
    [
      'names as byte strings',
      {
        X,
        ...rest,
        labels: npy(
          '|S6',
          [2],
          Buffer.concat([
            Buffer.from('rock\0\0'),
            Buffer.from('Größe').subarray(0, 0),
            Buffer.from('Gr', 'utf8'),
            Buffer.alloc(4),
          ]),
        ),
      },
    ],
    ['pickled paths that nobody needs', { X, ...rest, paths: npy('|O', [3], Buffer.from('\x80\x04junk')) }],
    ['instants that nobody needs', { X, ...rest, times: npy('<M8[ns]', [3], Buffer.alloc(24)) }],
    [
      'labels 1 and -1',
      { X, ...rest, Y: npy('<i8', [3, 2], bytesOf(BigInt64Array.from(LABELS, (bit) => (bit ? 1n : -1n)))) },
    ],
  ])('reads %s', async (name, members) => {
    const set = await read('a.npz', archive(members));
    const labelNames = name === 'names as byte strings' ? ['rock', 'Gr'] : table.labelNames;
    expect(set).toMatchObject({ ...table, labelNames });
  });

  it('makes one label per class of one number or name per row', async () => {
    const numbers = npy('<i8', [3], bytesOf(BigInt64Array.of(0n, 2n, 0n)));
    const plain = await read('classes.npz', archive({ X, y: numbers }));
    expect([plain.labelNames, plain.labels]).toEqual([
      ['class0', 'class2'],
      [1, 0, 0, 1, 1, 0],
    ]);
    expect(plain.warnings.map(({ code }) => code)).toContain('class-numbers');
    const named = await read('named.npz', archive({ X, y: numbers, classes: names('a', 'b', 'c') }));
    expect(named.labelNames).toEqual(['a', 'c']);
    const texts = await read('texts.npz', archive({ X, y: names('jazz', 'folk', 'jazz') }));
    expect([texts.labelNames, texts.labels]).toEqual([
      ['folk', 'jazz'],
      [0, 1, 1, 0, 0, 1],
    ]);
    const values = npy('<f8', [3], bytesOf(Float64Array.of(0.5, 1.5, 2)));
    await expect(read('values.npz', archive({ X, y: values }))).rejects.toMatchObject({
      code: 'bad-label',
      line: 1,
    });
  });

  it('says which array it cannot read where it is needed', async () => {
    const pickled = npy('|O', [3, 2], Buffer.from('\x80\x04junk'));
    await expect(read('pickled.npz', archive({ X: pickled, Y }))).rejects.toMatchObject({
      code: 'shape',
      message: expect.stringContaining('|O') as string,
    });
    const unnamed = await read(
      'unnamed.npz',
      archive({ X, Y, labels: npy('|O', [2], Buffer.from('\x80\x04')) }),
    );
    expect(unnamed.labelNames).toEqual(['label0', 'label1']);
    expect(unnamed.warnings.map(({ code }) => code)).toContain('names-unread');
    const features = archive({ X, Y, columns: npy('|O', [2], Buffer.from('\x80\x04')) });
    expect((await read('columns.npz', features)).warnings.map(({ code }) => code)).toContain('names-unread');
  });

  it('gives back what it was given in every order of bytes', () => {
    const little: NpyArray = readNpy(npy('<i4', [2], Buffer.of(1, 0, 0, 0, 2, 0, 0, 0)));
    expect([...readNpy(npy('>i4', [2], Buffer.of(0, 0, 0, 1, 0, 0, 0, 2))).data]).toEqual([...little.data]);
  });
});

describe('a Parquet table', () => {
  type Column = {
    name: string;
    data: unknown[];
    type?: 'DOUBLE' | 'BOOLEAN' | 'STRING' | 'INT64' | 'FLOAT16' | 'TIMESTAMP';
  };
  const x = { name: 'x', data: [1.5, 0.25, -0.125], type: 'DOUBLE' as const };
  const y = { name: 'y', data: [-2, 4, 6], type: 'DOUBLE' as const };
  const rock = { name: 'rock', data: [true, false, true], type: 'BOOLEAN' as const };
  const size = { name: 'Größe', data: [false, true, true], type: 'BOOLEAN' as const };

  async function parquet(columnData: Column[], more: object = {}): Promise<Uint8Array> {
    const { parquetWriteBuffer } = await import('hyparquet-writer');
    // The writer's own types are narrower than what it takes.
    return new Uint8Array(parquetWriteBuffer({ columnData, ...more }));
  }

  /** A Zstandard frame with one raw block: what a packer does with what cannot be packed. */
  const zstd = (bytes: Uint8Array): Uint8Array => {
    const head = Buffer.alloc(4 + 1 + 4 + 3);
    head.writeUInt32LE(0xfd2fb528, 0);
    head.writeUInt8(0b1010_0000, 4);
    head.writeUInt32LE(bytes.length, 5);
    head.writeUIntLE((bytes.length << 3) | 1, 9, 3);
    return Buffer.concat([head, bytes]);
  };
  /** An LZ4 block of literals alone. */
  const lz4 = (bytes: Uint8Array): Uint8Array => {
    const long = bytes.length - 15;
    const lengths = long < 0 ? [] : [...new Array<number>(Math.floor(long / 255)).fill(255), long % 255];
    return Buffer.concat([Buffer.of(Math.min(15, bytes.length) << 4, ...lengths), bytes]);
  };
  const hadoopLz4 = (bytes: Uint8Array): Uint8Array => {
    const packed = lz4(bytes);
    const head = Buffer.alloc(8);
    head.writeUInt32BE(bytes.length, 0);
    head.writeUInt32BE(packed.length, 4);
    return Buffer.concat([head, packed]);
  };

  it.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ['ZSTD', zstd],
    ['LZ4_RAW', lz4],
    ['LZ4', hadoopLz4],
    ['BROTLI', (bytes) => brotliCompressSync(bytes)],
    ['GZIP', (bytes) => gzipSync(bytes)],
  ])('unpacks %s', async (codec, pack) => {
    const bytes = await parquet([x, y, rock, size], { codec, compressors: { [codec]: pack } });
    expect(await read(`${codec}.parquet`, bytes, last2)).toMatchObject(table);
  });

  it('counts labels after leaving out columns, whatever their place', async () => {
    const id = { name: 'id', data: ['c', 'a', 'b'], type: 'STRING' as const };
    const number = { name: 'number', data: [7, 8, 9], type: 'DOUBLE' as const };
    const options = { ...last2, exclude: ['id', 'number'] };
    for (const columns of [
      [id, number, x, y, rock, size],
      [x, number, y, rock, id, size],
      [x, y, rock, size, number, id],
    ])
      expect(await read('exclude.parquet', await parquet(columns), options)).toMatchObject({
        ...table,
        rowIds: ['c', 'a', 'b'],
      });
  });

  it('leaves out the index of a pandas table, and takes it when asked', async () => {
    const index = { name: 'track', data: [5, 9, 7], type: 'DOUBLE' as const };
    const kvMetadata = [{ key: 'pandas', value: JSON.stringify({ index_columns: ['track'] }) }];
    const bytes = await parquet([x, y, rock, size, index], { kvMetadata });
    const set = await read('index.parquet', bytes, last2);
    expect(set).toMatchObject({ ...table, rowIds: ['5', '9', '7'] });
    expect(set.warnings.map(({ code }) => code)).toContain('index-excluded');
    const level = await parquet([x, y, rock, size, { ...index, name: '__index_level_0__' }]);
    expect(await read('level.parquet', level, last2)).toMatchObject(table);
    const excluded = await read('level.parquet', level, { ...last2, exclude: ['__index_level_0__'] });
    expect(excluded).toMatchObject(table);
  });

  it('leaves out instants of every unit', async () => {
    const stamps = (unit: string): object => ({
      schema: [
        { name: 'root', num_children: 5 },
        { name: 'x', type: 'DOUBLE', repetition_type: 'REQUIRED' },
        { name: 'y', type: 'DOUBLE', repetition_type: 'REQUIRED' },
        {
          name: 'when',
          type: 'INT64',
          repetition_type: 'REQUIRED',
          logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit },
        },
        { name: 'rock', type: 'BOOLEAN', repetition_type: 'REQUIRED' },
        { name: 'Größe', type: 'BOOLEAN', repetition_type: 'REQUIRED' },
      ],
    });
    const bare = ({ name, data }: Column): Column => ({ name, data });
    const when = { name: 'when', data: [1n, 2n, 3n] };
    for (const unit of ['NANOS', 'MICROS', 'MILLIS']) {
      const bytes = await parquet([bare(x), bare(y), when, bare(rock), bare(size)], stamps(unit));
      const set = await read(`${unit}.parquet`, bytes, last2);
      expect(set, unit).toMatchObject(table);
      expect(set.warnings.find(({ code }) => code === 'text-excluded')?.columns).toEqual(['when']);
    }
  });

  it('reads float16, alone', async () => {
    const half = ({ name, data }: Column): Column => ({ name, data, type: 'FLOAT16' });
    expect(await read('half.parquet', await parquet([half(x), half(y), rock, size]), last2)).toMatchObject(
      table,
    );
  });

  it('reads lists of float16', async () => {
    const schema = [
      { name: 'root', num_children: 3 },
      { name: 'z', num_children: 1, converted_type: 'LIST', repetition_type: 'OPTIONAL' },
      { name: 'list', num_children: 1, repetition_type: 'REPEATED' },
      {
        name: 'element',
        type: 'FIXED_LEN_BYTE_ARRAY',
        type_length: 2,
        repetition_type: 'OPTIONAL',
        logical_type: { type: 'FLOAT16' },
      },
      { name: 'rock', type: 'BOOLEAN', repetition_type: 'REQUIRED' },
      { name: 'Größe', type: 'BOOLEAN', repetition_type: 'REQUIRED' },
    ];
    const z = {
      name: 'z',
      data: [
        [1.5, -2],
        [0.25, 4],
        [-0.125, 6],
      ],
    };
    const bytes = await parquet([z, { name: 'rock', data: rock.data }, { name: 'Größe', data: size.data }], {
      schema,
    });
    expect(await read('lists.parquet', bytes, last2)).toMatchObject({
      ...table,
      featureNames: ['z_0', 'z_1'],
    });
  });
});

describe('a table as people leave it', () => {
  const semicolons = csv.replaceAll(',', ';');
  const rowsOf = (delimiter: string): string => [HEADER, ...ROWS].join('\n').replaceAll(',', delimiter);

  it.each<[string, string, string | Uint8Array]>([
    ['the line sep= in quotes', 'quoted.csv', `"sep=;"\r\n${semicolons}`],
    ['the line sep= after a byte order mark', 'mark.csv', `\ufeffsep=;\r\n${semicolons}`],
    ['lines of blanks', 'blanks.csv', csv.replaceAll('\r\n', '\r\n   \r\n')],
    ['empty rows of a spreadsheet', 'empty.csv', `${csv}\r\n,,,\r\n,,,\r\n`],
    ['remarks in front', 'remarks.csv', `# made by a tool\n# version 2; really\n${rowsOf(';')}`],
    ["NumPy's header", 'numpy.csv', `# ${rowsOf(',')}`],
    ['tabs and the name .tsv', 'table.tsv', rowsOf('\t')],
    ['tabs and the name .txt', 'table.txt', rowsOf('\t')],
    ['gzip without saying so', 'packed.csv', gzipSync(csv)],
    ['the name of gzip on plain text', 'plain.csv.gz', csv],
    [
      'several gzip members',
      'members.csv.gz',
      Buffer.concat([gzipSync(csv.slice(0, 20)), gzipSync(csv.slice(20))]),
    ],
    ['lines of old Macs', 'mac.csv', csv.replaceAll('\r\n', '\r')],
  ])('is read with %s', async (_, name, bytes) => {
    expect(await read(name, bytes, last2)).toMatchObject(table);
  });

  it('keeps a column that is called #, and refuses a table without names', async () => {
    const set = await read('number.csv', '#,x,rock\n1,2,1\n2,5,0\n', { labels: { kind: 'last', count: 1 } });
    expect(set.featureNames).toEqual(['#', 'x']);
    for (const text of ['1.5,2,1\n2.5,3,0\n', '5,5,1\n2,3,0\n', '-1,2,1\n3,4,0\n'])
      await expect(read('nameless.csv', text, { labels: { kind: 'last', count: 1 } })).rejects.toMatchObject({
        code: 'syntax',
        line: 1,
      });
    const numbered = await read('numbered.csv', '0,1,2\n2,3,1\n4,5,0\n', {
      labels: { kind: 'last', count: 1 },
    });
    expect([numbered.featureNames, numbered.labelNames]).toEqual([['0', '1'], ['2']]);
  });

  it('reads an ARFF with lines of old Macs, packed without saying so', async () => {
    const arff = [
      '@relation t',
      '@attribute x numeric',
      '@attribute rock {0,1}',
      '@data',
      '1.5,1',
      '2,0',
    ].join('\r');
    const set = await read('mac.arff', gzipSync(arff), { labels: { kind: 'last', count: 1 } });
    expect([set.features, set.labels]).toEqual([
      [1.5, 2],
      [1, 0],
    ]);
  });
});

describe('an .npz of arrays without names', () => {
  const matrix = (shape: number[], data: number[]): Uint8Array =>
    writeNpy({ dtype: 'float64', shape, data: Float64Array.from(data) });

  it('is read in the order in which they were saved', async () => {
    const set = await read(
      'plain.npz',
      zipSync({ 'arr_0.npy': matrix([3, 2], FEATURES), 'arr_1.npy': matrix([3, 2], LABELS) }),
    );
    expect([set.features, set.labels]).toEqual([FEATURES, LABELS]);
  });

  it('is refused with the shapes when labels are of other rows', async () => {
    const bytes = zipSync({ 'X.npy': matrix([3, 2], FEATURES), 'Y.npy': matrix([2, 2], [1, 0, 0, 1]) });
    await expect(read('rows.npz', bytes)).rejects.toMatchObject({
      code: 'shape',
      message: expect.stringContaining('2 × 2 for 3 rows') as string,
    });
  });
});
