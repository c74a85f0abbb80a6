import { describe, expect, it } from 'vitest';
import { chooseThresholds } from '../../../models/evaluation/metrics/thresholds.ts';
import { Random } from '../../../models/numerics/random.ts';

/** F1 of one label when it is predicted from a threshold on. */
function f1(truth: readonly number[], probabilities: ArrayLike<number>, threshold: number): number {
  const predicted = Array.from(probabilities, (p) => p >= threshold);
  const hits = truth.filter((t, i) => t === 1 && predicted[i]).length;
  const marked = truth.filter((t) => t === 1).length + predicted.filter(Boolean).length;
  return marked === 0 ? 0 : (2 * hits) / marked;
}

describe('chooseThresholds', () => {
  it('finds the F1 that trying every threshold finds', () => {
    const random = new Random(3);
    for (let round = 0; round < 40; round++) {
      const count = 8 + (round % 20);
      const truth = Array.from({ length: count }, (_, i) =>
        i < 3 ? 1 : i < 6 ? 0 : random.uniform() < 0.4 ? 1 : 0,
      );
      // Some equal ones, which no threshold can part.
      const probabilities = Float32Array.from(
        truth,
        (t) => Math.round((random.uniform() * 0.7 + t * 0.2) * 20) / 20,
      );
      const [chosen] = chooseThresholds(Uint8Array.from(truth), probabilities, count, 1);
      const every = Array.from({ length: 999 }, (_, i) => f1(truth, probabilities, (i + 1) / 1000));
      expect(f1(truth, probabilities, chosen ?? NaN)).toBeCloseTo(Math.max(...every), 12);
      expect(chosen).toBeGreaterThan(0);
      expect(chosen).toBeLessThan(1);
    }
  });

  it('stays at a half where that is as good as anything', () => {
    const truth = Uint8Array.of(1, 1, 1, 0, 0, 0);
    expect(chooseThresholds(truth, Float32Array.of(0.9, 0.8, 0.6, 0.4, 0.2, 0.1), 6, 1)).toEqual([0.5]);
    // All of one side: half lies between nothing.
    expect(chooseThresholds(truth, Float32Array.of(0.3, 0.25, 0.21, 0.2, 0.1, 0.1), 6, 1)[0]).toBeCloseTo(
      0.205,
      6,
    );
  });

  it('does not fit a threshold to labels that hardly any row bears, or lacks', () => {
    const truth = Uint8Array.of(1, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0);
    const probabilities = new Float32Array(12).fill(0.3);
    expect(chooseThresholds(truth, probabilities, 6, 2)).toEqual([null, null]);
    expect(chooseThresholds(new Uint8Array(0), new Float32Array(0), 0, 2)).toEqual([null, null]);
  });
});
