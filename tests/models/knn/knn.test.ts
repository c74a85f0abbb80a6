import { describe, expect, it } from 'vitest';
import {
  addLabelNoise,
  knnClassifiers,
  noisePermutation,
  predictBrKnn,
  predictKnn,
  predictManyKnn,
  predictLpKnn,
  predictMlKnn,
} from '../../../models/knn/index.ts';
import { labelsetIds, takeRows, type LabelledVectors } from '../../../models/embeddings/labelled-vectors.ts';
import { multilabelMetrics } from '../../../models/evaluation/metrics/multilabel.ts';
import { groupedFolds, kFolds } from '../../../models/evaluation/splits/folds.ts';

const train: LabelledVectors = {
  features: Float64Array.of(0, 1, 2, 3),
  count: 4,
  dim: 1,
  labels: Uint8Array.of(1, 0, 0, 1, 1, 1, 0, 0),
  labelNames: ['a', 'b'],
};
const ask = (...values: number[]): { features: Float64Array; count: number } => ({
  features: Float64Array.from(values),
  count: values.length,
});

describe('LP-kNN', () => {
  it('gives equal votes to the labelset that appears first in the training set, not to the nearest', async () => {
    expect(Array.from(await predictLpKnn(train, ask(3), { k: 1 }))).toEqual([0, 0]);
    expect(Array.from(await predictLpKnn(train, ask(3), { k: 2 }))).toEqual([1, 1]);
    expect(Array.from(await predictLpKnn(train, ask(3), { k: 4 }))).toEqual([1, 0]);
  });

  it('takes the lower row among equally near ones', async () => {
    expect(Array.from(await predictLpKnn(train, ask(0.5), { k: 1 }))).toEqual([1, 0]);
  });

  it('refuses k beyond the rows, k = 0 and queries that are not finite', async () => {
    await expect(predictLpKnn(train, ask(0), { k: 5 })).rejects.toThrow(
      'k = 5 neighbours cannot be taken from 4 rows',
    );
    await expect(predictLpKnn(train, ask(0), { k: 0 })).rejects.toMatchObject({ code: 'bad-parameter' });
    await expect(predictLpKnn(train, ask(Infinity), { k: 1 })).rejects.toMatchObject({ code: 'not-finite' });
    await expect(
      predictLpKnn(train, { features: new Float64Array(3), count: 2 }, { k: 1 }),
    ).rejects.toMatchObject({
      code: 'shape',
    });
    const aborted = AbortSignal.abort(new Error('stop'));
    await expect(predictLpKnn(train, ask(0), { k: 1, signal: aborted })).rejects.toThrow('stop');
  });

  it('compares directions with the cosine metric', async () => {
    const plane = { ...train, features: Float64Array.of(1, 0, 0, 1, 5, 5, -1, 0), dim: 2 };
    const query = { features: Float64Array.of(0.1, 0.1), count: 1 };
    expect(Array.from(await predictLpKnn(plane, query, { k: 1, metric: 'cosine' }))).toEqual([1, 1]);
  });
});

describe('BRkNN and ML-kNN', () => {
  it('BRkNN-a needs a strict majority', async () => {
    expect(Array.from(await predictBrKnn(train, ask(0), { k: 2, variant: 'a' }))).toEqual([0, 0]);
    expect(Array.from(await predictBrKnn(train, ask(0), { k: 3, variant: 'a' }))).toEqual([1, 1]);
  });

  it('BRkNN-b takes as many labels as the neighbours bear on average, the lower label on ties', async () => {
    expect(Array.from(await predictBrKnn(train, ask(0), { k: 2, variant: 'b' }))).toEqual([1, 0]);
  });

  it('ML-kNN weighs votes by what they meant in training', async () => {
    expect(Array.from(await predictMlKnn(train, ask(0, 2), { k: 1 }))).toEqual([1, 0, 1, 1]);
  });
});

describe('predictKnn', () => {
  it('gives what the single classifiers give, for every k of the grid, and scores that explain it', async () => {
    const queries = ask(0, 0.9, 2.2, 3);
    const names = knnClassifiers.map(({ name }) => name);
    const cells = await predictManyKnn(names, train, queries, { ks: [1, 3] });
    expect(cells.map(({ classifier, k }) => `${classifier} ${k}`)).toEqual(
      names.flatMap((name) => [`${name} 1`, `${name} 3`]),
    );
    for (const { classifier, k, prediction } of cells) {
      const expected =
        classifier === 'lpknn'
          ? await predictLpKnn(train, queries, { k })
          : classifier === 'mlknn'
            ? await predictMlKnn(train, queries, { k })
            : await predictBrKnn(train, queries, { k, variant: classifier === 'brknn-a' ? 'a' : 'b' });
      expect(prediction.labels, `${classifier} ${k}`).toEqual(expected);
      expect(prediction).toEqual(await predictKnn(classifier, train, queries, { k }));
      expect(prediction.scores.every((score) => score >= 0 && score <= 1)).toBe(true);
    }
    const shares = await predictKnn('lpknn', train, ask(0), { k: 3 });
    expect(Array.from(shares.scores)).toEqual([2 / 3, 2 / 3]);
    // Worked out by hand: prior 1/2; likelihoods 3/4 and 1/4 of a vote among rows with and without the label.
    const posterior = await predictKnn('mlknn', train, ask(0), { k: 1 });
    expect(Array.from(posterior.scores)).toEqual([0.75, 0.25]);
  });

  it('refuses what a single classifier refuses', async () => {
    await expect(predictManyKnn(['lpknn'], train, ask(0), { ks: [1, 5] })).rejects.toThrow(
      'k = 5 neighbours cannot be taken from 4 rows',
    );
    expect(await predictManyKnn(['lpknn'], train, ask(0), { ks: [] })).toEqual([]);
  });
});

describe('label noise', () => {
  const big: LabelledVectors = {
    features: Float64Array.from({ length: 50 }, (_, i) => i),
    count: 50,
    dim: 1,
    labels: Uint8Array.from({ length: 50 * 6 }, (_, i) => (Math.floor(i / 6) >> (i % 6)) & 1),
    labelNames: ['a', 'b', 'c', 'd', 'e', 'f'],
  };

  it('swaps whole labelsets of exactly the rows drawn, the same for the same seed', () => {
    const options = { percent: 40, seed: 5, variant: 'proper' } as const;
    const source = noisePermutation(50, options);
    const moved = Array.from(source.keys()).filter((row) => source[row] !== row);
    expect(moved.length).toBe(20);
    for (const row of moved) expect(source[source[row] ?? -1]).toBe(row);
    const noisy = addLabelNoise(big, options);
    expect(noisy.labels).toEqual(takeRows(big, source).labels);
    expect(noisy.features).toBe(big.features);
    expect(addLabelNoise(big, options).labels).toEqual(noisy.labels);
    expect(addLabelNoise(big, { ...options, seed: 6 }).labels).not.toEqual(noisy.labels);
    expect(addLabelNoise(big, { ...options, percent: 0 }).labels).toEqual(big.labels);
  });

  it('goes through the steps of the reference when cumulative, touching more rows', () => {
    const touched = (variant: 'proper' | 'cumulative'): number =>
      noisePermutation(1000, { percent: 40, seed: 123, variant }).filter((source, row) => source !== row)
        .length;
    expect(touched('proper')).toBe(400);
    expect(touched('cumulative')).toBeGreaterThan(450);
    expect(noisePermutation(1000, { percent: 20, seed: 123, variant: 'cumulative' })).toEqual(
      noisePermutation(1000, { percent: 20, seed: 123, variant: 'proper' }),
    );
  });

  it('reaches every row but an odd one at 100 %, leaves one row alone and refuses other percentages', () => {
    const all = noisePermutation(7, { percent: 100, seed: 1, variant: 'proper' });
    expect(all.filter((source, row) => source !== row).length).toBe(6);
    expect(Array.from(noisePermutation(1, { percent: 100, seed: 1, variant: 'proper' }))).toEqual([0]);
    expect(() => noisePermutation(7, { percent: 101, seed: 1, variant: 'proper' })).toThrow('101 %');
    expect(() => noisePermutation(7, { percent: 10, seed: -1, variant: 'proper' })).toThrow('seed -1');
  });
});

describe('splits of rows', () => {
  const strata = Array.from({ length: 31 }, (_, row) => (row < 7 ? 0 : row < 12 ? 1 : 2));
  const sizes = (rows: number[]): number[] =>
    [0, 1, 2].map((stratum) => rows.filter((row) => strata[row] === stratum).length);

  it('tests every row once, in folds and strata of even size', () => {
    for (const given of [undefined, strata]) {
      const folds = kFolds(31, 4, 9, given);
      expect(folds.flatMap(({ test }) => test).sort((a, b) => a - b)).toEqual(
        Array.from({ length: 31 }, (_, i) => i),
      );
      for (const { train: kept, test } of folds) {
        expect([7, 8]).toContain(test.length);
        expect([...kept, ...test].sort((a, b) => a - b).length).toBe(31);
        expect(kept.filter((row) => test.includes(row))).toEqual([]);
      }
      expect(kFolds(31, 4, 9, given)).toEqual(folds);
      expect(kFolds(31, 4, 10, given)).not.toEqual(folds);
    }
    for (const { test } of kFolds(31, 4, 9, strata)) {
      const [a = -1, b = -1, c = -1] = sizes(test);
      expect([a >= 1 && a <= 2, b >= 1 && b <= 2, c >= 4 && c <= 5]).toEqual([true, true, true]);
    }
  });

  it.each(['at-once', 'by-class'] as const)('keeps groups whole and classes even, dealt %s', (deal) => {
    const items = Array.from({ length: 40 }, (_, i) => ({ group: `g${i >> 1}`, label: i < 24 ? 0 : 1 }));
    const folds = groupedFolds(items, 4, 5, deal);
    expect(folds.flatMap((held) => [...held]).sort()).toEqual(
      [...new Set(items.map(({ group }) => group))].sort(),
    );
    for (const held of folds) {
      expect(items.filter(({ group, label }) => held.has(group) && label === 0).length).toBe(6);
      expect(items.filter(({ group, label }) => held.has(group) && label === 1).length).toBe(4);
    }
    expect(groupedFolds(items, 4, 5, deal)).toEqual(folds);
    expect(groupedFolds(items, 4, 6, deal)).not.toEqual(folds);
    expect(() => groupedFolds(items.slice(0, 4), 3, 1, deal)).toThrow('2 ');
  });

  it('takes a group for the class of its first item', () => {
    const items = Array.from({ length: 40 }, (_, i) => ({ group: `g${i % 20}`, label: i % 20 < 10 ? 1 : 0 }));
    const mixed = items.map(({ group, label }, i) => ({ group, label: i < 20 ? label : 2 }));
    expect(groupedFolds(mixed, 5, 5)).toEqual(groupedFolds(items, 5, 5));
    expect(groupedFolds([...items].reverse(), 5, 5)).toEqual(groupedFolds(items, 5, 5));
    expect(groupedFolds([...mixed].reverse(), 5, 5)).not.toEqual(groupedFolds(items, 5, 5));
  });

  it('takes labelset ids as strata and refuses impossible requests', () => {
    const { ids } = labelsetIds(train.labels, train.count, 2);
    expect(kFolds(4, 2, 1, ids).length).toBe(2);
    expect(() => kFolds(3, 4, 1)).toThrow('3 rows cannot be cut into 4 folds');
    expect(() => kFolds(3, 1, 1)).toThrow('into 1 folds');
    expect(() => kFolds(1, 2, 1)).toThrow(expect.objectContaining({ hint: 'Label more tracks first.' }));
    expect(() => kFolds(3, 2, 1, [0])).toThrow('1 strata for 3 rows');
  });
});

describe('multilabelMetrics', () => {
  it('matches figures worked out by hand', () => {
    const truth = Uint8Array.of(1, 1, 0, 0, 0, 0);
    const predicted = Uint8Array.of(1, 0, 1, 0, 0, 0);
    const scores = multilabelMetrics(truth, predicted, 2, 3);
    // The rest is compared with scikit-learn's figures in knn-figures.test.ts.
    expect(scores).toMatchObject({
      hammingLoss: 2 / 6,
      exactMatch: 1 / 2,
      accuracy: 1 / 3 / 2,
      f1Samples: 1 / 2 / 2,
      f1Micro: 1 / 2,
      f1Macro: 1 / 3,
      jaccardMicro: 1 / 3,
      jaccardMacro: 1 / 3,
      // Row 0: pairs (a, c) and (b, c); c is predicted, so both are badly ordered. Row 1 has no label.
      rankingLossHard: 1 / 2,
    });
  });

  it('refuses nothing and unequal sizes', () => {
    expect(() => multilabelMetrics(new Uint8Array(0), new Uint8Array(0), 0, 2)).toThrow('nothing to score');
    expect(() => multilabelMetrics(new Uint8Array(4), new Uint8Array(2), 2, 2)).toThrow('differ in size');
  });
});
