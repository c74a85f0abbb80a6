import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { DatasetError, excludeColumns, readDataset } from '../../../models/datasets/index.ts';
import { temporaryFolder } from '../../support/temporary.ts';

let folder = '';
beforeAll(async () => {
  folder = await temporaryFolder();
});

let files = 0;
/** Writes a file into a folder of its own, so that no XML of another test lies beside it. */
function write(text: string | Uint8Array, name = 'data.arff', more: Record<string, string> = {}): string {
  const own = join(folder, String(files++));
  mkdirSync(own);
  for (const [other, content] of Object.entries(more)) writeFileSync(join(own, other), content);
  writeFileSync(join(own, name), text);
  return join(own, name);
}

const xml = (...names: string[]): string =>
  `<?xml version="1.0"?><labels xmlns="http://mulan.sourceforge.net/labels">${names
    .map((name) => `<label name="${name}"></label>`)
    .join('')}</labels>`;

const meka = (rows: string, attributes = ['l {0,1}', 'x numeric', 'y numeric'], option = '-C 1'): string =>
  [
    `@relation 'Test: ${option}'`,
    ...attributes.map((attribute) => `@attribute ${attribute}`),
    '@data',
    rows,
  ].join('\n');

describe('what an ARFF file says', () => {
  it.each([
    ['the first', '-C 2', ['a', 'b'], ['c', 'd']],
    ['the last', '-C -1', ['d'], ['a', 'b', 'c']],
    ['the first, options around', '-R -C 1 -split-number 10', ['a'], ['b', 'c', 'd']],
  ])('labels are %s', async (_, option, labelNames, featureNames) => {
    const attributes = ['a', 'b', 'c', 'd'].map((name) => `${name} {0,1}`);
    const read = await readDataset(write(meka('1,0,0,1', attributes, option)));
    expect([read.name, read.labelNames, read.featureNames]).toEqual(['Test', labelNames, featureNames]);
  });

  it('an XML beside the file overrules a wrong header, as in medical', async () => {
    const attributes = ['w1 {0,1}', 'w2 {0,1}', 'c1 {0,1}', 'c2 {0,1}'];
    const text = meka('1,0,1,1\n0,1,0,1', attributes, '-C 2');
    for (const name of ['medical-train.arff', 'medical.arff', 'medical_test.arff']) {
      const read = await readDataset(write(text, name, { 'medical.xml': xml('c2', 'c1') }));
      expect(read.labelNames, name).toEqual(['c1', 'c2']);
      expect(read.warnings.map(({ code }) => code)).toContain('header-overruled');
    }
    const agreed = await readDataset(write(text, 'x.arff', { 'x.xml': xml('w1', 'w2') }));
    expect(agreed.warnings.map(({ code }) => code)).not.toContain('header-overruled');
    const named = await readDataset(write(text), { labels: { kind: 'last', count: 1 } });
    expect(named.labelNames).toEqual(['c2']);
  });

  it('names may be quoted, escaped or odd, and XML has them plain', async () => {
    const text = [
      '% made by hand',
      '@RELATION odd',
      '',
      `@Attribute 'Stellar\\'s Jay' {0,1} % a comment`,
      '@attribute - {0,1}',
      '@attribute 0; REAL',
      '@attribute 1-1/2\tinteger',
      '@attribute "two words"{a, \'b c\' ,"d,e"}',
      '@DATA',
      `1,0, 2.5 ,-3,'b c'  % the end`,
      '',
      `0,1,\t1e-3,4,"d,e"`,
    ].join('\r\n');
    const read = await readDataset(write(text, 'odd.arff', { 'odd.xml': xml('Stellar&apos;s Jay', '-') }));
    expect(read.labelNames).toEqual(["Stellar's Jay", '-']);
    expect(read.featureNames).toEqual(['0;', '1-1/2', 'two words']);
    expect([...read.features]).toEqual([2.5, -3, 1, 1e-3, 4, 2]);
    expect([...read.labels]).toEqual([1, 0, 0, 1]);
  });

  it('a nominal value counts by its place in the declaration, a label by what it says', async () => {
    const attributes = ['l {1,0}', 'm {NO,YES}', 'place {2,10,1}', 'x numeric'];
    const read = await readDataset(write(meka('1,YES,10,5\n0,NO,2,6', attributes, '-C 2')));
    expect([...read.labels]).toEqual([1, 1, 0, 0]);
    expect([...read.features]).toEqual([1, 5, 0, 6]);
  });

  it('a sparse row leaves out the first declared value, of labels too', async () => {
    const attributes = ['l {1,0}', 'm {0,1}', 'place {2,10,1}', 'x numeric'];
    const read = await readDataset(write(meka('{}\n{3 7.5, 1 1}\n{ 0 0 , 2 1 }', attributes, '-C 2')));
    expect([...read.labels]).toEqual([1, 0, 1, 1, 0, 0]);
    expect([...read.features]).toEqual([0, 0, 0, 7.5, 2, 0]);
  });

  it('text and dates are left out, tabs and blanks may part values, weights are ignored with a word', async () => {
    const attributes = ['l {0,1}', 'title string', 'when date "yyyy-MM-dd"', 'x numeric'];
    const read = await readDataset(write(meka(`1,'a, b',2020-01-01,3,{2}`, attributes)));
    expect([read.featureNames, [...read.features]]).toEqual([['x'], [3]]);
    expect(read.warnings.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['text-excluded', 'weights-ignored']),
    );
    const parted = await readDataset(write(meka('1\t2\t3\n0 4  5')));
    expect([...parted.features]).toEqual([2, 3, 4, 5]);
  });

  it('comes compressed, with a byte order mark, in Latin-1', async () => {
    const packed = await readDataset(write(gzipSync(`\ufeff${meka('1,2,3')}`), 'data.arff.gz'));
    expect([...packed.features]).toEqual([2, 3]);
    const latin = Buffer.from(meka('1,2,3').replace("'Test:", "'Caf\u00e9:"), 'latin1');
    expect((await readDataset(write(latin))).name).toBe('Café');
  });

  it('excluded columns name the rows when they differ', async () => {
    const attributes = ['l {0,1}', 'id {p,q,r}', 'x numeric'];
    const path = write(meka('1,q,1\n0,p,2\n{2 5}', attributes));
    const read = await readDataset(path, { exclude: ['id'] });
    expect([read.rowIds, read.featureNames]).toEqual([null, ['x']]);
    const distinct = await readDataset(write(meka('1,q,1\n0,r,2\n{2 5}', attributes)), { exclude: ['id'] });
    expect(distinct.rowIds).toEqual(['q', 'r', 'p']);
    expect(excludeColumns(await readDataset(path), ['id']).features).toEqual(Float64Array.of(1, 2, 5));
  });
});

describe('an ARFF file that is wrong says where', () => {
  it.each<[string, string, string, number | undefined, number | undefined]>([
    ['no declaration', 'hello\n', 'syntax', 1, 1],
    ['nothing', '', 'syntax', undefined, undefined],
    ['no data', meka('').replace('@data', ''), 'syntax', undefined, undefined],
    ['no rows', meka(''), 'empty', undefined, undefined],
    ['an open quote in a name', meka('1,2,3', ["'l {0,1}"]), 'syntax', 2, 12],
    ['an open list', meka('1,2,3', ['l {0,1']), 'syntax', 2, 14],
    ['no type', meka('1', ['l']), 'syntax', 2, 13],
    ['an unknown type', meka('1', ['l complex']), 'syntax', 2, 14],
    ['a name twice', meka('1,2', ['x numeric', 'x real']), 'syntax', 3, 12],
    ['a hole in a list', meka('1', ['l {0,,1}']), 'syntax', 2, 17],
    ['relational data', meka('1', ['bag relational']), 'unsupported', 2, 16],
    ['too few values', meka('1,2,3\n1,2'), 'ragged', 7, 4],
    ['too many values', meka('1,2,3,4'), 'ragged', 6, 7],
    ['a comma at the end', meka('1,2,3,'), 'ragged', 6, 7],
    ['an empty value', meka('1,,3'), 'syntax', 6, 3],
    ['no number', meka('1,2,3\n1,two,3'), 'not-a-number', 7, 3],
    ['hexadecimal', meka('1,0x10,3'), 'not-a-number', 6, 3],
    ['an infinity', meka('1,2,Infinity'), 'not-a-number', 6, 5],
    ['NaN', meka('1,2,NaN'), 'missing-value', 6, 5],
    ['a missing value', meka('1,2,?'), 'missing-value', 6, 5],
    ['a label of another value', meka('2,2,3'), 'bad-label', 6, 1],
    ['an open quote', meka(`1,2,'3`), 'syntax', 6, 5],
    ['text after a quote', meka(`'1'x,2,3`), 'syntax', 6, 4],
    ['an open sparse row', meka('{0 1, 1 2'), 'syntax', 6, 1],
    ['a column that is not there', meka('{0 1, 7 2}'), 'syntax', 6, 7],
    ['a column twice', meka('{1 1, 1 2}'), 'syntax', 6, 7],
    ['no column number', meka('{x 1}'), 'syntax', 6, 2],
    ['a column without value', meka('{1}'), 'syntax', 6, 3],
    ['text after a sparse row', meka('{1 1} 2'), 'syntax', 6, 6],
    ['more labels than columns', meka('1,2,3', undefined, '-C 3'), 'shape', 1, undefined],
    ['no labels', meka('1,2,3').replace('-C 1', ''), 'no-labels', undefined, undefined],
    [
      'a target of classes',
      meka('1,a,3', ['l {0,1}', 'm {a,b,c}', 'y numeric'], '-C 2'),
      'bad-label',
      3,
      undefined,
    ],
  ])('%s', async (_, text, code, line, column) => {
    const refused = readDataset(write(text));
    await expect(refused).rejects.toBeInstanceOf(DatasetError);
    await expect(refused).rejects.toMatchObject({ code, line, column });
    await expect(refused).rejects.toHaveProperty('hint', expect.stringMatching(/./));
  });

  it('drops rows with missing values when asked', async () => {
    const path = write(meka('1,2,3\n?,4,5\n1,?,6\n{0 1,2 ?}\n0,7,8'));
    const read = await readDataset(path, { missing: 'drop-rows' });
    expect([[...read.features], [...read.labels]]).toEqual([
      [2, 3, 7, 8],
      [1, 0],
    ]);
    expect(read.warnings.find(({ code }) => code === 'rows-dropped')?.message).toContain('3 rows');
  });

  it.each([
    ['<labels><label name="a"></labels>', 'syntax', 1],
    ['<labels></labels>', 'no-labels', undefined],
    ['<!DOCTYPE x [<!ENTITY a "aaaa">]><labels><label name="&a;"/></labels>', 'syntax', 1],
    [`<?xml version="1.0"?>\n<labels>\n  <label name="a"/>\n  <label name=b/>\n</labels>`, 'syntax', 4],
    [`${'<label name="x">'.repeat(20_000)}${'</label>'.repeat(20_000)}`, 'syntax', 1],
    [xml('nobody has this column'), 'unknown-column', undefined],
  ])('and so does a wrong XML: %.40s', async (text, code, line) => {
    const path = write(meka('1,2,3'), 'd.arff', { 'd.xml': text });
    await expect(readDataset(path)).rejects.toMatchObject({ code, line });
  });
});

describe('what to mistrust', () => {
  const table = (columns: string, rows: string[]): string => write([columns, ...rows].join('\n'), 'data.csv');
  const codes = async (path: string, count = 1): Promise<string[]> => {
    const { warnings } = await readDataset(path, { labels: { kind: 'last', count } });
    return warnings.map(({ code, columns = [] }) => [code, ...columns].join(' '));
  };
  const rows = (cells: (i: number) => unknown[]): string[] =>
    Array.from({ length: 20 }, (_, i) => cells(i).join());

  it('is told by column and by row', async () => {
    const path = table(
      'n,track_id,same,x,all,some,none',
      rows((i) => [i + 5, (i * 7919) % 1000, 3, (i * 0.37) % 1, 1, i % 2, 0]),
    );
    expect(await codes(path, 3)).toEqual([
      'id-like n track_id',
      'constant same',
      'unused-label none',
      'universal-label all',
    ]);
  });

  it('finds duplicate rows, rows without labels, and a single row', async () => {
    expect(
      await codes(
        table(
          'x,l',
          rows((i) => [i % 18, i % 2]),
        ),
      ),
    ).toEqual(['duplicate-rows', 'unlabelled-rows']);
    const { warnings } = await readDataset(
      table(
        'x,l',
        rows((i) => [i % 18, i % 2]),
      ),
      {
        labels: { kind: 'last', count: 1 },
      },
    );
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^2 rows have exactly/),
      expect.stringMatching(/^10 rows bear no label/),
    ]);
    expect(await codes(table('x,l', ['1,1']))).toEqual(['one-row']);
  });

  it('does not take numbers that count something for identifiers', async () => {
    expect(
      await codes(
        table(
          'tempo,x,l',
          rows((i) => [60 + ((i * 13) % 100), i * 0.5, i % 2 || 1]),
        ),
      ),
    ).toEqual(['universal-label l']);
  });

  it('a table without told labels is refused, one with label: columns is not', async () => {
    await expect(readDataset(table('x,l', ['1,1']))).rejects.toMatchObject({ code: 'no-labels' });
    const read = await readDataset(table('x,label:rock,y', ['1,1,2', '3,0,4']));
    expect([read.labelNames, [...read.features]]).toEqual([['rock'], [1, 2, 3, 4]]);
    const twice = readDataset(table('x,x,l', ['1,1,1']), { labels: { kind: 'names', names: ['x'] } });
    await expect(twice).rejects.toMatchObject({ code: 'unknown-column' });
    await expect(readDataset(write('x', 'data.xls'))).rejects.toMatchObject({ code: 'unsupported' });
    await expect(readDataset(join(folder, 'none.arff'))).rejects.toMatchObject({ code: 'missing' });
  });

  it('a CSV leaves out text columns when told, and says where quotes are wrong', async () => {
    const path = table('name,x,l', ['a,1,1', 'b,2,0']);
    const read = await readDataset(path, { labels: { kind: 'last', count: 1 }, exclude: ['name'] });
    expect([read.rowIds, [...read.features]]).toEqual([
      ['a', 'b'],
      [1, 2],
    ]);
    const broken = readDataset(table('x,l', ['1,1', '"2,0']), { labels: { kind: 'last', count: 1 } });
    await expect(broken).rejects.toMatchObject({ code: 'syntax', line: 3 });
  });
});
