import { describe, expect, it } from 'vitest';
import { bootstrap } from '../../../models/evaluation/statistics/bootstrap.ts';
import { mcnemar } from '../../../models/evaluation/statistics/mcnemar.ts';
import { resampled } from '../../../models/evaluation/statistics/resampled.ts';

/** Answers of two, with so many tracks that only one of them gets right. */
function answers(onlyFirst: number, onlySecond: number, both = 5): [boolean[], boolean[]] {
  const times = (n: number, value: boolean): boolean[] => Array.from({ length: n }, () => value);
  return [
    [...times(onlyFirst, true), ...times(onlySecond, false), ...times(both, true), ...times(3, false)],
    [...times(onlyFirst, false), ...times(onlySecond, true), ...times(both, true), ...times(3, false)],
  ];
}

describe('McNemar', () => {
  it('gives the two-sided binomial probability of the disagreements', () => {
    // Twice the sum of C(n, k) / 2ⁿ for k up to the smaller number, counted by hand.
    const few = mcnemar(...answers(1, 5));
    expect([few.onlyFirst, few.onlySecond]).toEqual([1, 5]);
    expect(few.pValue).toBeCloseTo(14 / 64, 12);
    expect(mcnemar(...answers(2, 10)).pValue).toBeCloseTo((2 * (1 + 12 + 66)) / 4096, 12);
    expect(mcnemar(...answers(10, 2)).pValue).toBeCloseTo((2 * (1 + 12 + 66)) / 4096, 12);
    expect(mcnemar(...answers(0, 0)).pValue).toBe(1);
    expect(mcnemar(...answers(3, 3)).pValue).toBe(1);
  });

  it('is right where ½ⁿ is no number any more', () => {
    // Close to the normal distribution: z = 4, two-sided 6.3e-5.
    const { pValue } = mcnemar(...answers(1920, 2080 + 93));
    expect(pValue).toBeGreaterThan(6e-5);
    expect(pValue).toBeLessThan(9e-5);
    expect(() => mcnemar([true], [])).toThrow('cannot be paired');
  });
});

describe('the bootstrap', () => {
  it('covers the mean of a known distribution as often as it says, and is the same for one seed', async () => {
    const values = Array.from({ length: 400 }, (_, i) => (i < 300 ? 1 : 0));
    const mean = (rows: Int32Array): number =>
      rows.reduce((sum, row) => sum + (values[row] ?? 0), 0) / rows.length;
    const interval = await bootstrap(400, mean);
    expect(interval.value).toBe(0.75);
    // ± 1.96 √(0.75 · 0.25 / 400)
    expect(interval.low).toBeCloseTo(0.75 - 0.0424, 2);
    expect(interval.high).toBeCloseTo(0.75 + 0.0424, 2);
    expect(await bootstrap(400, mean)).toEqual(interval);
    expect(await bootstrap(400, mean, { seed: 2 })).not.toEqual(interval);
  });

  it('ends when it is cancelled', async () => {
    const control = new AbortController();
    let calls = 0;
    // Many draws, of which not all are made.
    const figure = (): number => {
      calls += 1;
      return 0;
    };
    const done = bootstrap(20_000, figure, { draws: 20_000, signal: control.signal });
    control.abort(new Error('enough'));
    await expect(done).rejects.toThrow('enough');
    expect(calls).toBeLessThan(20_000);
  });
});

describe('corrected resampled t-test', () => {
  it('widens the interval by what splits share', () => {
    // By scipy.stats.t: standard error √((1/8 + 0.2/0.7) · s²), 7 degrees of freedom.
    const values = [0.02, -0.01, 0.03, 0.05, 0, 0.015, 0.022, 0.04];
    const { mean, low, high, pValue } = resampled(values, 0.2 / 0.7);
    expect(mean).toBeCloseTo(0.020875, 12);
    expect(low).toBeCloseTo(-0.009013001485713774, 6);
    expect(high).toBeCloseTo(0.05076300148571377, 6);
    expect(pValue).toBeCloseTo(0.14260877067962827, 6);
    // Without shared tracks it is the paired t-test.
    expect(resampled(values, 0).high).toBeLessThan(high);
  });

  it('is certain where every split says the same, and refuses one split', () => {
    expect(resampled([0, 0, 0], 0.3)).toEqual({ mean: 0, low: 0, high: 0, pValue: 1 });
    expect(resampled([0.5, 0.5], 0.3)).toEqual({ mean: 0.5, low: 0.5, high: 0.5, pValue: 0 });
    expect(() => resampled([0.5], 0.3)).toThrow('no interval');
  });
});
