import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import {
  knnGraph,
  writeDatasetNpz,
  writeDatasetParquet,
  writeMeka,
  writeMulan,
  type WritableSet,
} from '../../../models/datasets/index.ts';
import { knnClassifiers, predictKnn } from '../../../models/knn/index.ts';
import { Random } from '../../../models/numerics/random.ts';
import { writeNpz } from '../../../models/tensors/index.ts';
import { temporaryFolder } from '../../support/temporary.ts';
import { readAnyDataset } from '../../support/workers.ts';

/** A set with awkward names, a label nobody has, and a row without labels. */
function awkwardSet(precision: 'float32' | 'float64', rows = 12): WritableSet {
  const random = new Random(5);
  const labelNames = [`Stellar's Jay`, 'a,b "c"', 'x: -C 3 %', 'nobody'];
  const featureNames = ['z0', '1-1/2', `it's {odd}`, 'tab\there'];
  const values = Float64Array.from({ length: rows * 4 }, () => random.normal() * 1e3);
  return {
    name: 'mixed & <odd>: names',
    features: precision === 'float32' ? Float32Array.from(values) : values,
    count: rows,
    dim: 4,
    labels: Uint8Array.from({ length: rows * 4 }, (_, i) =>
      i % 4 === 3 || i < 4 ? 0 : random.uniform() < 0.5 ? 1 : 0,
    ),
    labelNames,
    featureNames,
  };
}

const contents = ({ features, labels, labelNames, featureNames, count, dim }: WritableSet) => ({
  features: Float64Array.from(features),
  labels,
  labelNames,
  featureNames,
  count,
  dim,
});

const map = (count: number) => ({
  x: Float32Array.from({ length: count }, (_, i) => i),
  y: Float32Array.from({ length: count }, (_, i) => -i),
  neighbors: Array.from({ length: count }, (_, i) => ({ ids: [(i + 1) % count], distances: [0.5 * i] })),
});

describe.each(['float32', 'float64'] as const)('a %s set', (precision) => {
  const set = awkwardSet(precision);

  it('comes back from Mulan, MEKA, NPZ and Parquet as it was, names and all', async () => {
    const folder = await temporaryFolder();
    const { arff, xml } = writeMulan(set);
    writeFileSync(join(folder, 'mulan.arff'), [...arff].join(''));
    writeFileSync(join(folder, 'mulan.xml'), xml);
    writeFileSync(join(folder, 'meka.arff'), [...writeMeka(set)].join(''));
    writeFileSync(join(folder, 'set.npz'), writeDatasetNpz(set));
    writeFileSync(join(folder, 'set.parquet'), await writeDatasetParquet(set, map(set.count), []));
    for (const file of ['mulan.arff', 'meka.arff', 'set.npz', 'set.parquet']) {
      const read = await readAnyDataset(join(folder, file));
      expect(contents(read), file).toEqual(contents(set));
      expect(read.warnings.find(({ code }) => code === 'unused-label')?.columns, file).toEqual(['nobody']);
    }
    expect((await readAnyDataset(join(folder, 'set.parquet'))).name).toBe(set.name);
  });

  it('gives the same bytes each time', async () => {
    expect(writeDatasetNpz(set)).toEqual(writeDatasetNpz(set));
    expect(await writeDatasetParquet(set, map(12), [])).toEqual(await writeDatasetParquet(set, map(12), []));
  });
});

describe('NPZ and Parquet of other programs', () => {
  it('reads X and Y of other types, labels within X, and refuses what does not fit', async () => {
    const folder = await temporaryFolder();
    const write = (name: string, arrays: Parameters<typeof writeNpz>[0]): string => {
      writeFileSync(join(folder, name), writeNpz(arrays));
      return join(folder, name);
    };
    const X = { dtype: 'int64' as const, shape: [2, 3], data: BigInt64Array.of(1n, 2n, 1n, 4n, 5n, 0n) };
    const Y = { dtype: 'bool' as const, shape: [2, 1], data: Uint8Array.of(0, 1) };
    const read = await readAnyDataset(write('xy.npz', { X, Y }));
    expect([read.dim, [...read.features], [...read.labels], read.labelNames]).toEqual([
      3,
      [1, 2, 1, 4, 5, 0],
      [0, 1],
      ['label0'],
    ]);
    const within = await readAnyDataset(write('x.npz', { X }), { labels: { kind: 'last', count: 1 } });
    expect([within.dim, [...within.labels]]).toEqual([2, [1, 0]]);
    await expect(readAnyDataset(write('none.npz', { X }))).rejects.toMatchObject({ code: 'no-labels' });
    await expect(readAnyDataset(write('text.npz', { Y }))).rejects.toMatchObject({ code: 'shape' });
    const bad = { ...Y, dtype: 'float64' as const, data: Float64Array.of(0, 1.5) };
    await expect(readAnyDataset(write('bad.npz', { X, Y: bad }))).rejects.toMatchObject({
      code: 'bad-label',
      line: 2,
    });
    const nan = { dtype: 'float64' as const, shape: [2, 1], data: Float64Array.of(1, NaN) };
    await expect(readAnyDataset(write('nan.npz', { X: nan, Y }))).rejects.toMatchObject({
      code: 'not-a-number',
    });
    const dropped = await readAnyDataset(write('nan2.npz', { X: nan, Y }), { missing: 'drop-rows' });
    expect([dropped.count, dropped.warnings.some(({ code }) => code === 'rows-dropped')]).toEqual([1, true]);
    writeFileSync(join(folder, 'broken.npz'), 'no zip');
    await expect(readAnyDataset(join(folder, 'broken.npz'))).rejects.toMatchObject({ code: 'unreadable' });
    writeFileSync(join(folder, 'broken.parquet'), 'PAR1 but nothing more PAR1');
    await expect(readAnyDataset(join(folder, 'broken.parquet'))).rejects.toMatchObject({
      code: 'unreadable',
    });
  });

  it('reads a Parquet table with numbers, booleans, text and a list', async () => {
    const { parquetWriteBuffer } = await import('hyparquet-writer');
    const path = join(await temporaryFolder(), 'table.parquet');
    const bytes = parquetWriteBuffer({
      columnData: [
        { name: 'title', data: ['a', 'b', 'c'], type: 'STRING' },
        { name: 'tempo', data: [1.5, 2.5, 3.5], type: 'DOUBLE' },
        { name: 'year', data: [1, 2, 4], type: 'INT32' },
        { name: 'label:live', data: [true, false, true], type: 'BOOLEAN' },
      ],
    });
    writeFileSync(path, new Uint8Array(bytes));
    const read = await readAnyDataset(path);
    expect([read.featureNames, read.labelNames, [...read.labels]]).toEqual([
      ['tempo', 'year'],
      ['live'],
      [1, 0, 1],
    ]);
    expect(read.warnings.find(({ code }) => code === 'text-excluded')?.columns).toEqual(['title']);
    const named = await readAnyDataset(path, {
      exclude: ['title'],
      labels: { kind: 'names', names: ['label:live'] },
    });
    expect(named.rowIds).toEqual(['a', 'b', 'c']);
  });
});

describe.each(knnClassifiers.map(({ name }) => name))('%s as an ONNX graph', (classifier) => {
  it.each([
    ['euclidean', 1],
    ['euclidean', 4],
    ['cosine', 3],
  ] as const)('predicts what the classifier predicts, %s, k = %d', async (metric, k) => {
    const random = new Random(9);
    const L = 5;
    const train: WritableSet = {
      name: 'train',
      count: 60,
      dim: 6,
      // Far from the origin, where the expansion of squares would cancel.
      features: Float64Array.from({ length: 360 }, () => 100 + random.normal()),
      labels: Uint8Array.from({ length: 60 * L }, () => (random.uniform() < 0.35 ? 1 : 0)),
      labelNames: ['a', 'b', 'c', 'd', 'e'],
      featureNames: ['1', '2', '3', '4', '5', '6'],
    };
    const queries = { count: 40, features: Float32Array.from({ length: 240 }, () => 100 + random.normal()) };
    const expected = await predictKnn(classifier, train, queries, { k, metric });
    const bytes = await knnGraph(train, { classifier, k, metric });
    expect(await knnGraph(train, { classifier, k, metric })).toEqual(bytes);
    const session = await InferenceSession.create(bytes);
    const result = await session.run({ features: new Tensor('float32', queries.features, [40, 6]) });
    expect(result['labels']?.dims).toEqual([40, L]);
    expect(result['labels']?.type).toBe('uint8');
    expect(result['labels']?.data).toEqual(expected.labels);
    const scores = result['scores']?.data as Float32Array;
    expect(
      Math.max(...Array.from(scores, (score, i) => Math.abs(score - (expected.scores[i] ?? NaN)))),
    ).toBeLessThan(1e-6);
  });

  it('keeps equal distances equal on 0/1 data, where they are common', async () => {
    const random = new Random(11);
    const bits = (length: number): Float64Array =>
      Float64Array.from({ length }, () => (random.uniform() < 0.3 ? 1 : 0));
    const train: WritableSet = {
      ...{ name: 'words', count: 50, dim: 12, features: bits(600), labels: Uint8Array.from(bits(200)) },
      labelNames: ['a', 'b', 'c', 'd'],
      featureNames: Array.from({ length: 12 }, (_, d) => `w${d}`),
    };
    const queries = { count: 60, features: Float32Array.from(bits(720)) };
    const expected = await predictKnn(classifier, train, queries, { k: 3 });
    const session = await InferenceSession.create(await knnGraph(train, { classifier, k: 3 }));
    const result = await session.run({ features: new Tensor('float32', queries.features, [60, 12]) });
    expect(result['labels']?.data).toEqual(expected.labels);
  });
});
