import { describe, expect, it } from 'vitest';
import { scoredNumbers } from '../../../engine/evaluate/score.ts';

const of = (...values: number[]) => ({ names: ['y'], values: Float64Array.from(values) });
const score = (learned: number[], asked: number[], found: number[]) =>
  scoredNumbers(
    asked.map((_, i) => `${i}.wav`),
    of(...asked),
    Float64Array.from(found),
    of(...learned),
    null,
  ).metrics;

describe('scores of numbers', () => {
  it('are R² and the mean error', () => {
    const metrics = score([1, 2, 3, 4], [1, 2, 3], [1, 2, 2]);
    expect(metrics['R²']).toBe(0.5);
    expect(metrics['mean absolute error']).toBeCloseTo(1 / 3);
  });

  it('say nothing of R² where it would divide by next to nothing, and the mean error all the same', () => {
    // Loudness of a folder that was mastered alike, and one sound that was not: R² would be −99,999.
    const outlier = score([-20, -20.01, -19.99, -60], [-20, -20.01, -19.99], [-22, -18, -20]);
    expect(outlier['R²']).toBeNull();
    expect(outlier['mean absolute error']).toBeCloseTo(1.34, 1);
    // All that was learned from is alike, so that there was nothing to learn.
    expect(score([-20, -20.01, -19.99], [-20, -40, -60], [-20, -20, -20])['R²']).toBeNull();
    expect(score([5, 5, 5], [5, 5], [5, 5])['R²']).toBeNull();
  });
});
