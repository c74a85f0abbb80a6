import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { multilabelMetrics, perLabelReport } from '../../../models/evaluation/metrics/multilabel.ts';
import { friedman, holm, nemenyi, wilcoxon } from '../../../models/evaluation/statistics/index.ts';

const numbers = z.array(z.number());
const schema = z.object({
  metrics: z.array(
    z.object({
      rows: z.number(),
      labels: z.number(),
      truth: numbers,
      predicted: numbers,
      scores: numbers,
      metrics: z.record(z.string(), z.number()),
      perLabel: z.array(z.record(z.string(), z.number())),
    }),
  ),
  friedman: z.array(
    z.object({
      scores: z.array(numbers),
      meanRanks: numbers,
      chiSquare: z.number(),
      pValue: z.number(),
      f: z.number(),
      fPValue: z.number(),
      criticalDifference: z.record(z.string(), z.number()),
      pairs: z.array(z.tuple([z.number(), z.number(), z.number()])),
    }),
  ),
  wilcoxon: z.array(z.object({ a: numbers, b: numbers, statistic: z.number(), pValue: z.number() })),
});
/** Figures of scikit-learn and SciPy; tests/support/knn_figures.py made them. */
const figures = schema.parse(
  JSON.parse(readFileSync(join(import.meta.dirname, '../../fixtures/knn/figures.json'), 'utf8')),
);

/** Names and values of `expected` that `found` misses by more than `tolerance`. */
function differing(found: object, expected: Record<string, number>, tolerance = 1e-12): [string, number][] {
  const ours = new Map<string, unknown>(Object.entries(found));
  return Object.entries(expected).filter(([name, value]) => {
    const own = ours.get(name);
    return !(typeof own === 'number' && Math.abs(own - value) <= tolerance);
  });
}

describe('multilabel measures', () => {
  it.each(figures.metrics)('equal scikit-learn’s ($rows × $labels)', (given) => {
    const truth = Uint8Array.from(given.truth);
    const predicted = Uint8Array.from(given.predicted);
    const scores = Float64Array.from(given.scores);
    const found = multilabelMetrics(truth, predicted, given.rows, given.labels, scores);
    expect(differing(found, given.metrics)).toEqual([]);
    expect(Object.keys(found).sort()).toEqual(Object.keys(given.metrics).sort());
    const names = given.perLabel.map((_, l) => `label ${l}`);
    const report = perLabelReport(truth, predicted, given.rows, names);
    expect(report.map(({ label }) => label)).toEqual(names);
    given.perLabel.forEach((expected, l) => expect(differing(report[l] ?? {}, expected)).toEqual([]));
  });

  it('refuse label scores of another size or that are no numbers', () => {
    const ones = Uint8Array.of(1, 0);
    expect(() => multilabelMetrics(ones, ones, 1, 2, Float64Array.of(1))).toThrow('differ in size');
    expect(() => multilabelMetrics(ones, ones, 1, 2, Float64Array.of(1, NaN))).toThrow('label 1 NaN');
  });
});

describe('Friedman’s test and Nemenyi’s', () => {
  it.each(figures.friedman)('equal SciPy’s ($chiSquare)', (given) => {
    const found = friedman(given.scores);
    expect(found.meanRanks.map((rank) => rank.toFixed(10))).toEqual(
      given.meanRanks.map((rank) => rank.toFixed(10)),
    );
    expect(found.chiSquare).toBeCloseTo(given.chiSquare, 9);
    expect(found.pValue).toBeCloseTo(given.pValue, 9);
    expect(found.imanDavenport.f).toBeCloseTo(given.f, 8);
    expect(found.imanDavenport.pValue).toBeCloseTo(given.fPValue, 10);
    for (const [alpha, expected] of Object.entries(given.criticalDifference))
      expect(nemenyi(found, Number(alpha)).criticalDifference).toBeCloseTo(expected, 5);
    const { pairs } = nemenyi(found);
    expect(pairs.map(({ first, second }) => [first, second])).toEqual(given.pairs.map(([a, b]) => [a, b]));
    pairs.forEach((pair, i) => expect(pair.pValue).toBeCloseTo(given.pairs[i]?.[2] ?? NaN, 6));
  });

  it('rank the lowest first when asked to, and find nothing where nothing differs', () => {
    expect(
      friedman(
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
        { best: 'lowest' },
      ).meanRanks,
    ).toEqual([1, 2, 3]);
    const equal = friedman([
      [1, 1],
      [2, 2],
    ]);
    expect([equal.chiSquare, equal.pValue]).toEqual([0, 1]);
    const agreed = friedman([
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect(agreed.imanDavenport).toEqual({ f: Infinity, degrees: [2, 4], pValue: 0 });
  });

  it('groups neighbouring methods that do not differ, without repeating contained runs', () => {
    // Critical difference of 4 methods over 20 blocks at 0.05: 1.049.
    const { groups, pairs } = nemenyi({ blocks: 20, meanRanks: [3.5, 1.2, 2.1, 3.2] });
    expect(groups).toEqual([
      [1, 2],
      [3, 0],
    ]);
    expect(pairs.filter(({ differ }) => differ).map(({ first, second }) => [first, second])).toEqual([
      [0, 1],
      [0, 2],
      [1, 3],
      [2, 3],
    ]);
  });

  it('refuse too few, ragged or missing scores and impossible levels', () => {
    expect(() => friedman([[1, 2]])).toThrow('1 × 2 scores cannot be compared');
    expect(() => friedman([[1, 2], [1]])).toThrow('missing');
    expect(() =>
      friedman([
        [1, NaN],
        [1, 2],
      ]),
    ).toThrow('missing');
    expect(() => nemenyi({ blocks: 3, meanRanks: [1, 2] }, 1)).toThrow('no level of significance');
  });
});

describe('Wilcoxon’s signed-rank test', () => {
  it.each(figures.wilcoxon)('equals SciPy’s ($statistic)', (given) => {
    const found = wilcoxon(given.a, given.b);
    expect(found.statistic).toBe(given.statistic);
    expect(found.pValue).toBeCloseTo(given.pValue, 10);
    expect(found.firstHigher + found.secondHigher).toBe((found.pairs * (found.pairs + 1)) / 2);
  });

  it('says 1 where nothing differs and refuses what cannot be paired', () => {
    expect(wilcoxon([1, 2], [1, 2])).toMatchObject({ pairs: 0, statistic: 0, pValue: 1, method: 'exact' });
    expect(() => wilcoxon([1], [1, 2])).toThrow('cannot be paired');
    expect(() => wilcoxon([], [])).toThrow('cannot be paired');
    expect(() => wilcoxon([Infinity], [1])).toThrow('missing');
  });

  it('is corrected for many tests by Holm’s steps', () => {
    expect(holm([0.01, 0.04, 0.03, 0.005])).toEqual([0.03, 0.06, 0.06, 0.02]);
    expect(holm([0.9, 0.8])).toEqual([1, 1]);
  });
});
