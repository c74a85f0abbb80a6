import { describe, expect, it } from 'vitest';
import { wilsonInterval } from '../../../models/evaluation/statistics/wilson.ts';

describe('Wilson interval', () => {
  // Worked out from the formula with 40 digits.
  it.each([
    [8, 10, 0.4901624715, 0.9433178486],
    [0, 10, 0, 0.2775327999],
    [10, 10, 0.7224672001, 1],
    [55, 100, 0.45244603, 0.64385462],
  ])('of %i in %i', (right, tried, low, high) => {
    const found = wilsonInterval(right, tried);
    expect(found.low).toBeCloseTo(low, 8);
    expect(found.high).toBeCloseTo(high, 8);
  });

  it('knows nothing where nothing was tried', () => {
    expect(wilsonInterval(0, 0)).toEqual({ low: 0, high: 1 });
  });
});
