import { describe, expect, it } from 'vitest';
import {
  blend,
  isOverfitting,
  weightings,
  WINDOW,
  type BranchLosses,
} from '../../../models/views/weightings.ts';

/** Losses of one that gets better, one that overfits and one that stands still. */
function curves(evaluations: number): BranchLosses[] {
  return Array.from({ length: evaluations }, (_, i) => ({
    step: i,
    train: [2 * Math.exp(-i / 60), 2 * Math.exp(-i / 15), 1.5 + Math.exp(-i / 5)],
    validation: [
      0.2 + 2 * Math.exp(-i / 60),
      1.2 + 0.8 * Math.exp(-i / 8) + i / 150,
      1.6 + Math.exp(-i / 5) - i / 1e4,
    ],
  }));
}

describe('weightings', () => {
  it('gives a branch G / (O² + 1e-6) of the whole', () => {
    // 0.1/(0.2² + 1e-6) = 2.4999, 0.3/(0.1² + 1e-6) = 29.997, and nothing for what got worse.
    const weights = blend([0.1, 0.3, -0.4], [0.2, 0.1, 0]);
    expect(weights[0]).toBeCloseTo(2.49993750156246 / 32.4969378, 6);
    expect(weights[1]).toBeCloseTo(29.99700029997 / 32.4969378, 6);
    expect(weights[2]).toBe(0);
    expect(blend([-1, 0], [0, 0])).toEqual([0.5, 0.5]);
    // The gap did not change: finite all the same.
    expect(blend([1, 1], [0, 1])[0]).toBeCloseTo(1, 5);
  });

  it('p1: the mean over the window of weights from losses of the window before', () => {
    const history = Array.from({ length: 12 }, (_, i) => ({
      step: i,
      train: [1 - 0.02 * i, 1 - 0.05 * i],
      validation: [1 - 0.01 * i, 1],
    }));
    // Equal for the first 10 evaluations after the start; then G = 0.01·11 and 0, of which the second is raised to 1/1000.
    const { weights, generalisation, overfitting } = weightings.p1.weigh(history);
    expect(generalisation[0]).toBeCloseTo(0.11, 12);
    expect(generalisation[1]).toBeCloseTo(0, 12);
    expect(overfitting[0]).toBeCloseTo(0.11, 12);
    expect(overfitting[1]).toBeCloseTo(0.55, 12);
    expect(weights[0]).toBeCloseTo((10 * 0.5 + 2 / 1.001) / 12, 10);
    expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
  });

  it('p1 prefers what generalises to what stands still, and that to what overfits', () => {
    const [better = 0, worse = 0, still = 0] = weightings.p1.weigh(curves(100)).weights;
    expect(better).toBeGreaterThan(0.8);
    expect(still).toBeGreaterThan(worse);
    expect(worse).toBeLessThan(0.01);
  });

  it('p2 takes what overfits away, but prefers what stands still, as the released code does', () => {
    const history = curves(100);
    const [better = 0, worse = 0, still = 0] = weightings.p2.weigh(history).weights;
    expect(worse).toBeLessThan(0.1);
    expect(still).toBeGreaterThan(better);
    // Not before losses were smoothed once over the window.
    expect(weightings.p2.weigh(history.slice(0, WINDOW)).weights).toEqual([1 / 3, 1 / 3, 1 / 3]);
  });

  it('p2: slopes of smoothed losses against the steepest fall of validation', () => {
    // A validation loss that falls by 0.1 an evaluation, then stands; smoothed and fitted by hand below.
    const validation = Array.from({ length: 45 }, (_, i) => Math.max(0, 3 - 0.1 * i));
    const history = validation.map((v, step) => ({ step, train: [v / 2, 0], validation: [v, 0] }));
    const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
    const smooth = validation.map((_, i) => mean(validation.slice(Math.max(0, i - 19), i + 1)));
    const slopeAt = (end: number): number => {
      const last = smooth.slice(end - 19, end + 1);
      const x = last.map((_, i) => i - 9.5);
      return (
        x.reduce((sum, xi, i) => sum + xi * ((last[i] ?? NaN) - mean(last)), 0) /
        x.reduce((s, xi) => s + xi * xi, 0)
      );
    };
    const slopes = Array.from({ length: 25 }, (_, i) => slopeAt(20 + i));
    const steepest = Math.min(...slopes.slice(0, -1));
    const { generalisation, overfitting } = weightings.p2.weigh(history);
    const g = (slopes.at(-1) ?? NaN) - steepest;
    expect(generalisation[0]).toBeCloseTo(g, 12);
    expect(overfitting[0]).toBeCloseTo(g / 2, 12);
  });

  it('names what overfits: better at what it learns, worse at what it does not', () => {
    expect([0, 1, 2].map((branch) => isOverfitting(curves(100), branch))).toEqual([false, true, false]);
  });

  it('trains only the joint head for a concatenation, and all alike for equal weights', () => {
    expect(weightings.concatenation.weigh(curves(3)).weights).toEqual([0, 0, 1]);
    expect(weightings.equal.weigh(curves(3)).weights).toEqual([1 / 3, 1 / 3, 1 / 3]);
  });
});
