import { describe, expect, it } from 'vitest';
import {
  debiasedCka,
  representationalSimilarity,
  representationOf,
} from '../../../models/evaluation/statistics/similarity.ts';
import { Random } from '../../../models/numerics/random.ts';

const random = new Random(3);
const normal = (n: number, dim: number): Float32Array =>
  Float32Array.from({ length: n * dim }, () => random.normal());

describe('how much two representations share', () => {
  const n = 60;
  const features = normal(n, 8);

  it('is all of it where they differ by rotation, scale and, for CKA, an offset', async () => {
    const angle = 0.7;
    const turned = features.map((value, i) => {
      const d = i % 8;
      if (d > 1) return 3 * value;
      const [x, y] = [features[i - d] ?? 0, features[i - d + 1] ?? 0];
      return (
        3 * (d === 0 ? x * Math.cos(angle) - y * Math.sin(angle) : x * Math.sin(angle) + y * Math.cos(angle))
      );
    });
    const [a, b] = [await representationOf(features, 8), await representationOf(turned, 8)];
    expect(debiasedCka(a, b)).toBeCloseTo(1, 6);
    expect(representationalSimilarity(a, b)).toBeCloseTo(1, 4);
    expect(
      debiasedCka(
        a,
        await representationOf(
          turned.map((value) => value + 5),
          8,
        ),
      ),
    ).toBeCloseTo(1, 4);
  });

  it('is nothing where they are unrelated, also in more dimensions than items', async () => {
    const a = await representationOf(features, 8);
    const b = await representationOf(normal(n, 300), 300);
    // The biased estimate of the same pair is far from 0.
    expect(Math.abs(debiasedCka(a, b) ?? 1)).toBeLessThan(0.15);
    expect(Math.abs(representationalSimilarity(a, b) ?? 1)).toBeLessThan(0.1);
  });

  it('is what the formulas give, term by term', async () => {
    const few = 6;
    const [x, y] = [normal(few, 3), normal(few, 2)];
    const kernel = (rows: Float32Array, dim: number): number[][] =>
      Array.from({ length: few }, (_, i) =>
        Array.from({ length: few }, (_unused, j) =>
          i === j
            ? 0
            : Array.from(
                { length: dim },
                (_d, d) => (rows[i * dim + d] ?? 0) * (rows[j * dim + d] ?? 0),
              ).reduce((p, q) => p + q, 0),
        ),
      );
    const sum = (values: number[]): number => values.reduce((p, q) => p + q, 0);
    const hsic = (k: number[][], l: number[][]): number => {
      const trace = sum(k.map((row, i) => sum(row.map((value, j) => value * (l[j]?.[i] ?? 0)))));
      const all = (m: number[][]): number => sum(m.map(sum));
      const product = sum(
        k.map((_, i) => sum(k.map((_row, j) => sum(k.map((_c, m) => (k[i]?.[m] ?? 0) * (l[m]?.[j] ?? 0)))))),
      );
      return (
        (trace + (all(k) * all(l)) / ((few - 1) * (few - 2)) - (2 * product) / (few - 2)) / (few * (few - 3))
      );
    };
    const [k, l] = [kernel(x, 3), kernel(y, 2)];
    // Centring changes nothing of the unbiased estimate.
    const wanted = hsic(k, l) / Math.sqrt(hsic(k, k) * hsic(l, l));
    expect(debiasedCka(await representationOf(x, 3), await representationOf(y, 2))).toBeCloseTo(wanted, 5);
  });

  it('is not told of what does not vary', async () => {
    const still = await representationOf(new Float32Array(n * 2).fill(1), 2);
    expect(debiasedCka(still, await representationOf(features, 8))).toBeNull();
    expect(representationalSimilarity(still, await representationOf(features, 8))).toBeNull();
  });
});
