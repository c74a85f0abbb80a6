import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { beforeAll, describe, expect, it } from 'vitest';
import { withSameColumns } from '../../../engine/reductions/corpus/file.ts';
import {
  writeDatasetNpz,
  writeMeka,
  writeMulan,
  type Dataset,
  type ReadDatasetOptions,
} from '../../../models/datasets/index.ts';
import { writeNpy } from '../../../models/tensors/index.ts';
import { temporaryFolder } from '../../support/temporary.ts';
import { readAnyDataset } from '../../support/workers.ts';

/** One column gives each row its class: in every format it becomes one label per class. */
let folder = '';
beforeAll(async () => {
  folder = await temporaryFolder();
});

const last1: ReadDatasetOptions = { labels: { kind: 'last', count: 1 } };
const X = [
  [1.5, -2],
  [0.25, 4],
  [-0.125, 6],
  [7, 8],
  [9, 10],
];

async function read(
  name: string,
  bytes: string | Uint8Array,
  options: ReadDatasetOptions = last1,
): Promise<Dataset> {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return readAnyDataset(path, options);
}

const rows = (cells: readonly (string | number)[]): string[] =>
  X.map((row, i) => `${row.join()},${cells[i] ?? ''}`);
const csv = (cells: readonly (string | number)[]): string =>
  ['x,y,genre', ...rows(cells).slice(0, cells.length)].join('\n');
const arff = (type: string, cells: readonly (string | number)[]): string =>
  [
    '@relation r\n@attribute x numeric\n@attribute y numeric',
    `@attribute genre ${type}`,
    '@data',
    ...rows(cells).slice(0, cells.length),
  ].join('\n');
const parquet = (cells: readonly (string | number | null)[]): Uint8Array =>
  new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: 'x', data: X.map(([x]) => x), type: 'DOUBLE' },
        { name: 'y', data: X.map(([, y]) => y), type: 'DOUBLE' },
        {
          name: 'genre',
          data: [...cells],
          type: cells.some((cell) => typeof cell === 'string') ? 'STRING' : 'INT32',
        },
      ],
    }),
  );
const npz = (cells: readonly (string | number)[]): Uint8Array => {
  const y = cells.some((cell) => typeof cell === 'string')
    ? writeNpy({ dtype: 'text', shape: [5], data: cells.map(String) })
    : writeNpy({ dtype: 'float64', shape: [5], data: Float64Array.from(cells, Number) });
  return zipSync({
    'X.npy': writeNpy({ dtype: 'float64', shape: [5, 2], data: Float64Array.from(X.flat()) }),
    'y.npy': y,
    'feature_names.npy': writeNpy({ dtype: 'text', shape: [2], data: ['x', 'y'] }),
  });
};
/** The labels that each row bears. */
const borne = ({ labels, labelNames, count }: Dataset): string[] =>
  Array.from({ length: count }, (_, row) =>
    labelNames.filter((_name, l) => labels[row * labelNames.length + l] === 1).join('+'),
  );

const NAMES = ['jazz', 'Hip-Hop', 'jazz', '80s', 'Größe'];
const NUMBERS = [2, 0, 1, 2, 10];

describe('a column of classes', () => {
  it('keeps numbers beyond 2^53 apart', async () => {
    const large = ['9007199254740992', '9007199254740993', '9007199254740992'];
    expect(borne(await read('large.csv', csv(large)))).toEqual(large);
  });

  it('is none where NPZ holds 0, 1 and a missing value in one column', async () => {
    const y = writeNpy({ dtype: 'float64', shape: [5, 1], data: Float64Array.of(0, 1, NaN, 1, 0) });
    const bytes = zipSync({
      'X.npy': writeNpy({ dtype: 'float64', shape: [5, 2], data: Float64Array.from(X.flat()) }),
      'y.npy': y,
    });
    await expect(read('missing.npz', bytes, {})).rejects.toMatchObject({ code: 'missing-value' });
  });

  it.each<[string, string | Uint8Array, ReadDatasetOptions]>([
    ['names.csv', csv(NAMES), last1],
    ['named.csv', csv(NAMES), { labels: { kind: 'names', names: ['genre'] } }],
    ['semicolons.csv', csv(NAMES).replaceAll(',', ';'), last1],
    ['names.arff', arff("{80s,'Größe',Hip-Hop,jazz}", NAMES), last1],
    ['text.arff', arff('string', NAMES), last1],
    ['meka.arff', arff('string', NAMES).replace('@relation r', "@relation 'r: -C -1'"), {}],
    ['names.parquet', parquet(NAMES), last1],
    ['named.parquet', parquet(NAMES), { labels: { kind: 'names', names: ['genre'] } }],
    ['names.npz', npz(NAMES), {}],
  ])('of names in %s', async (name, bytes, options) => {
    const set = await read(name, bytes, options);
    expect([[...set.features], set.featureNames]).toEqual([X.flat(), ['x', 'y']]);
    expect([...set.labelNames].sort()).toEqual(['80s', 'Größe', 'Hip-Hop', 'jazz'].sort());
    expect(borne(set)).toEqual(NAMES);
    expect(set.classPerRow).toBe(true);
    expect(set.warnings.map(({ code }) => code)).toContain('class-numbers');
  });

  it.each<[string, string | Uint8Array, ReadDatasetOptions]>([
    ['numbers.csv', csv(NUMBERS), last1],
    ['floats.csv', csv(NUMBERS.map((n) => n.toFixed(1))), last1],
    ['numbers.arff', arff('numeric', NUMBERS), last1],
    ['nominal.arff', arff('{0,1,2,10}', NUMBERS), last1],
    ['numbers.parquet', parquet(NUMBERS), last1],
    ['numbers.npz', npz(NUMBERS), {}],
  ])('of numbers in %s', async (name, bytes, options) => {
    const set = await read(name, bytes, options);
    expect(set.labelNames).toEqual(['class0', 'class1', 'class2', 'class10']);
    expect(borne(set)).toEqual(NUMBERS.map((number) => `class${number}`));
  });

  it.each<[string, string | Uint8Array, ReadDatasetOptions]>([
    ['hole.csv', csv(['a', '', 'b', 'NA', 'a']), last1],
    ['hole.arff', arff('{a,b}', ['a', '?', 'b', '?', 'a']), last1],
    ['hole.parquet', parquet(['a', null, 'b', null, 'a']), last1],
    ['hole.npz', npz(['a', '', 'b', 'nan', 'a']), {}],
  ])(
    'without a value in %s bears no label, and its row is dropped when asked',
    async (name, bytes, options) => {
      const set = await read(name, bytes, options);
      expect([set.labelNames, borne(set)]).toEqual([
        ['a', 'b'],
        ['a', '', 'b', '', 'a'],
      ]);
      expect(set.warnings.map(({ code }) => code)).toContain('unlabelled-rows');
      const dropped = await read(name, bytes, { ...options, missing: 'drop-rows' });
      expect(borne(dropped)).toEqual(['a', 'b', 'a']);
    },
  );

  it.each<[string, string | Uint8Array]>([
    ['label.csv', csv([1, 0, 0, 1, 1])],
    ['yes.csv', csv(['yes', 'no', 'no', 'yes', 'yes'])],
    ['label.arff', arff('numeric', [1, 0, 0, 1, 1])],
    ['label.parquet', parquet([1, 0, 0, 1, 1])],
  ])('that says 1 and 0 alone stays a label: %s', async (name, bytes) => {
    const set = await read(name, bytes);
    expect([set.labelNames, [...set.labels], set.classPerRow]).toEqual([['genre'], [1, 0, 0, 1, 1], false]);
  });

  it.each<[string, string | Uint8Array, string, number | undefined]>([
    ['a mistake in a label.csv', csv([1, 0, 'maybe', 1, 0]), 'bad-label', 4],
    ['measurements.csv', csv([0.1, 0.2, 0.3, 0.1, 0.2]), 'bad-label', 2],
    ['1, 0 and -1.csv', csv([1, 0, -1, 1, 1]), 'bad-label', 4],
    ['a hole in a label.csv', csv([1, 0, '', 1, 1]), 'missing-value', 4],
    ['a hole in a label.arff', arff('{0,1}', [1, 0, '?', 1, 1]), 'missing-value', 8],
    ['measurements.parquet', parquet([2, 0.5, 1, 1, 1].map(String)), 'bad-label', 2],
    ['an undeclared class.arff', arff('{a,b}', ['a', 'b', 'c']), 'bad-label', 8],
  ])('is refused where it is no class: %s', async (name, bytes, code, line) => {
    await expect(read(name, bytes)).rejects.toMatchObject({ code, line });
  });

  it('is told from names and numbers of the rows', async () => {
    const many = Array.from({ length: 12 }, (_, i) => i);
    const numbered = ['x,n', ...many.map((i) => `${i % 5},${100 + i}`)].join('\n');
    await expect(read('numbered.csv', numbered)).rejects.toMatchObject({ code: 'bad-label' });
    // Text that describes row by row is left out, as where several labels are asked for.
    const described = ['x,rock,file', ...many.map((i) => `${i % 5},${i % 2},${i} a.mp3`)].join('\n');
    const set = await read('described.csv', described);
    expect([set.labelNames, set.featureNames]).toEqual([['rock'], ['x']]);
    const table = new Uint8Array(
      parquetWriteBuffer({
        columnData: [
          { name: 'x', data: many.map((i) => i % 5), type: 'DOUBLE' },
          { name: 'rock', data: many.map((i) => i % 2 === 0), type: 'BOOLEAN' },
          { name: 'file', data: many.map((i) => `${i}.mp3`), type: 'STRING' },
        ],
      }),
    );
    expect((await read('described.parquet', table)).labelNames).toEqual(['rock']);
  });

  it('is counted after columns are left out', async () => {
    const text = ['id,x,genre,file', 'a,1,rock,1.mp3', 'b,2,pop,2.mp3', 'c,3,rock,3.mp3'].join('\n');
    const set = await read('left.csv', text, { ...last1, exclude: ['file'] });
    expect([set.labelNames, set.featureNames, borne(set)]).toEqual([
      ['pop', 'rock'],
      ['x'],
      ['rock', 'pop', 'rock'],
    ]);
    const attributes =
      '@attribute id string\n@attribute x numeric\n@attribute genre {rock,pop}\n@attribute file string';
    const weka = `@relation r\n${attributes}\n@data\na,1,rock,1.mp3\nb,2,pop,2.mp3`;
    const left = await read('left.arff', weka, { ...last1, exclude: ['file'] });
    expect([left.labelNames, left.featureNames, borne(left)]).toEqual([
      ['rock', 'pop'],
      ['x'],
      ['rock', 'pop'],
    ]);
  });

  it('may be left out of a sparse row, which then is of the first class declared', async () => {
    const text = '@relation r\n@attribute x numeric\n@attribute genre {rock,pop}\n@data\n{0 1}\n{0 2,1 pop}';
    expect(borne(await read('sparse.arff', text))).toEqual(['rock', 'pop']);
  });

  it('comes back as columns of 0 and 1 from every export', async () => {
    const set = await read('set.csv', csv(NAMES));
    const { arff: lines, xml } = writeMulan(set);
    writeFileSync(join(folder, 'back.xml'), xml);
    const back = [
      await read('back.arff', [...lines].join(''), {}),
      await read('back-meka.arff', [...writeMeka(set)].join(''), {}),
      await read('back.npz', writeDatasetNpz(set), {}),
    ];
    for (const { labels, labelNames, features, classPerRow } of back)
      expect({ labels, labelNames, features, classPerRow }).toEqual({
        ...{ labels: set.labels, labelNames: set.labelNames, features: set.features },
        classPerRow: false,
      });
  });
});

describe('the test part of a data set with one class per row', () => {
  it('may lack classes, and takes its labels in the order of the first part', async () => {
    const training = await read('train.csv', csv([0, 1, 2, 1, 0]));
    const two = withSameColumns(training, await read('test2.csv', csv([2, 1])), 'test2.csv');
    expect([two.labelNames, borne(two)]).toEqual([training.labelNames, ['class2', 'class1']]);
    // Alone, 0 and 1 would be a label.
    const binary = withSameColumns(training, await read('test01.csv', csv([1, 0])), 'test01.csv');
    expect(borne(binary)).toEqual(['class1', 'class0']);
  });

  it('is refused with the name of a class that the first part lacks', async () => {
    const training = await read('train.csv', csv(['a', 'b', 'a']));
    const test = await read('test.csv', csv(['a', 'c', 'a']));
    expect(() => withSameColumns(training, test, 'test.csv')).toThrow(/class “c”/);
  });
});
