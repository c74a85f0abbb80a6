import { expect, test } from 'vitest';
import { rangeOf } from '../../renderer/src/evaluate/curve-range.ts';

test('curves are drawn so that every interval is seen whole', () => {
  const rows = [
    { mean: 0.488, interval: 0.055 },
    { mean: 0.15, interval: 0.08 },
  ];
  expect(rangeOf(rows, false)).toEqual({ low: 0, high: 0.6 });
  expect(rangeOf([{ mean: 0.7, interval: null }], false)).toEqual({ low: 0.7, high: 0.8 });
});

test('shares stay within nothing and all, however wide their intervals are', () => {
  expect(rangeOf([{ mean: -3, interval: 2 }], false)).toEqual({ low: 0, high: 0.1 });
  expect(rangeOf([{ mean: 1, interval: 0.2 }], false)).toEqual({ low: 0.8, high: 1 });
  expect(rangeOf([{ mean: 1, interval: 0 }], false)).toEqual({ low: 0.9, high: 1 });
});

test('errors in the unit of the labels begin at none', () => {
  expect(rangeOf([{ mean: 4, interval: 1 }], true)).toEqual({ low: 0, high: 5 });
});
