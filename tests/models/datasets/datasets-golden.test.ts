import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import {
  excludeColumns,
  readDataset,
  readMultilabelCsv,
  type Dataset,
} from '../../../models/datasets/index.ts';
import { sharedFolder } from '../../support/shared.ts';

const data = sharedFolder('golden/multilabel/data');
const arff = (name: string): string => data.path('arff', name);
const facts = (name: string) =>
  z
    .object({
      n_train: z.number(),
      n_labels: z.number(),
      label_names: z.array(z.string()),
      dropped_columns: z.array(z.string()),
      train_indices: z.array(z.number()).optional(),
      test_indices: z.array(z.number()).optional(),
    })
    .parse(JSON.parse(readFileSync(data.path(`${name}.json`), 'utf8')));
const twin = (name: string, part: string) =>
  readMultilabelCsv(data.path(`${name}.${part}.csv.gz`), { labelCount: facts(name).n_labels });

const sha256 = ({ buffer, byteOffset, byteLength }: ArrayBufferView): string =>
  createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex');

/** Numbers only: what has to agree between two readings of the same rows. */
const numbers = ({
  features,
  labels,
  count,
  dim,
  labelNames,
  featureNames,
}: Awaited<ReturnType<typeof twin>>) => ({
  count,
  dim,
  labelNames,
  featureNames,
  // Hashes: comparing millions of elements one by one takes minutes.
  features: sha256(features),
  labels: sha256(labels),
});

/** Every row of `set` that `rows` names, in that order. */
function pick(set: Dataset, rows: readonly number[]): Awaited<ReturnType<typeof twin>> {
  const L = set.labelNames.length;
  return {
    ...set,
    count: rows.length,
    features: Float64Array.from(
      rows.flatMap((row) => [...set.features.subarray(row * set.dim, (row + 1) * set.dim)]),
    ),
    labels: Uint8Array.from(rows.flatMap((row) => [...set.labels.subarray(row * L, (row + 1) * L)])),
  };
}

describe.skipIf(data.missing)('the published data sets', () => {
  it.each([
    ['emotions', 'train', 'emotions-train.arff'],
    ['emotions', 'test', 'emotions-test.arff'],
    ['flags', 'train', 'flags-train.arff'],
    ['flags', 'test', 'flags-test.arff'],
    ['birds', 'train', 'birds-train.arff'],
    ['birds', 'test', 'birds-test.arff'],
    ['yeast', 'train', 'yeast-train.arff'],
    ['yeast', 'test', 'yeast-test.arff'],
    ['enron', 'train', 'enron-train.arff'],
    ['enron', 'test', 'enron-test.arff'],
    ['corel5k', 'train', 'Corel5k-train-sparse.arff'],
    ['corel5k', 'test', 'Corel5k-test-sparse.arff'],
    ['bibtex', 'train', 'bibtex-train.arff'],
    ['bibtex', 'test', 'bibtex-test.arff'],
    ['genbase', 'train', 'genbase-train.arff'],
    ['genbase', 'test', 'genbase-test.arff'],
  ])('%s %s: the ARFF with its XML gives exactly the numbers of the CSV', async (name, part, file) => {
    const dropped = facts(name).dropped_columns;
    const [read, expected] = await Promise.all([
      readDataset(arff(file), { exclude: dropped }),
      twin(name, part),
    ]);
    expect(numbers(read)).toEqual(numbers(expected));
    expect(read.labelNames).toEqual(facts(name).label_names);
  });

  it('foodtruck: one file, nominal values and all, gives both parts', async () => {
    const whole = await readDataset(arff('foodtruck.arff'));
    const { train_indices = [], test_indices = [] } = facts('foodtruck');
    expect(numbers(pick(whole, train_indices))).toEqual(numbers(await twin('foodtruck', 'train')));
    expect(numbers(pick(whole, test_indices))).toEqual(numbers(await twin('foodtruck', 'test')));
    expect(whole.warnings.find(({ code }) => code === 'nominal-coded')?.columns).toContain('time');
  });

  it('genbase: warns of the protein names and can leave them out afterwards', async () => {
    const read = await readDataset(arff('genbase-train.arff'));
    expect(read.warnings.find(({ code }) => code === 'id-like')?.columns).toEqual(['protein']);
    const left = excludeColumns(read, ['protein']);
    expect(numbers(left)).toEqual(numbers(await twin('genbase', 'train')));
    expect(left.warnings.some(({ code }) => code === 'id-like')).toBe(false);
    const named = await readDataset(arff('genbase-train.arff'), { exclude: ['protein'] });
    expect(named.rowIds?.slice(0, 1)[0]).toMatch(/^\w{6}/);
    expect(new Set(named.rowIds).size).toBe(read.count);
  });

  it('MEKA: labels come first or last as the header says, and both files agree', async () => {
    const first = await readDataset(arff('meka-Music.arff'));
    expect([first.name, first.count, first.dim]).toEqual(['Music', 592, 71]);
    expect(first.labelNames[2]).toBe('relaxing-clam');
    expect(first.featureNames).toHaveLength(71);
    const train = await readDataset(arff('meka-Music-train.arff'));
    const test = await readDataset(arff('meka-Music-test.arff'));
    expect([train.count, test.count, train.dim]).toEqual([491, 101, 71]);
    expect(train.labelNames).toEqual(first.labelNames);
    expect(train.featureNames).toEqual(first.featureNames);
    // The parts hold rows of the whole.
    const rowsOf = (set: Dataset) =>
      Array.from({ length: set.count }, (_, row) =>
        [
          ...set.features.subarray(row * 71, (row + 1) * 71),
          ...set.labels.subarray(row * 6, (row + 1) * 6),
        ].join(),
      );
    const whole = new Set(rowsOf(first));
    expect([...rowsOf(train), ...rowsOf(test)].filter((row) => !whole.has(row))).toEqual([]);
  });

  it('refuses targets of several classes, naming the declaration', async () => {
    await expect(readDataset(arff('meka-solar_flare.arff'))).rejects.toMatchObject({
      code: 'bad-label',
      line: 3,
    });
  });

  it('tells what is wrong with birds', async () => {
    const { warnings } = await readDataset(arff('birds-train.arff'));
    expect(warnings.find(({ code }) => code === 'unlabelled-rows')?.message).toContain('143 rows');
    expect(warnings.find(({ code }) => code === 'nominal-coded')?.columns).toContain('location');
  });
});
