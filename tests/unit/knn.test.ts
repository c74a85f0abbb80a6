import { describe, expect, it } from 'vitest';
import {
  multilabelMetrics,
  predictBrKnn,
  predictLpKnn,
  predictMlKnn,
  type MultilabelSet,
} from '../../models/knn/index.ts';

const train: MultilabelSet = {
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

describe('multilabelMetrics', () => {
  it('matches figures worked out by hand', () => {
    const truth = Uint8Array.of(1, 1, 0, 0, 0, 0);
    const predicted = Uint8Array.of(1, 0, 1, 0, 0, 0);
    const scores = multilabelMetrics(truth, predicted, 2, 3);
    expect(scores).toEqual({
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
