import { describe, expect, it } from 'vitest';
import { squaredDistance } from '../../../models/numerics/distances.ts';
import { Random } from '../../../models/numerics/random.ts';
import { packPrototypes, similarityMatrix } from '../../../models/pecmae/similarities.ts';

describe('similarities', () => {
  it.each([
    [1, 1, 3],
    [4, 7, 16],
    [65, 33, 256],
  ])('of %i prototypes to %i windows of %i numbers are those of direct differences', (K, n, dim) => {
    const random = new Random(K);
    const normalisation = { mean: 0.2, scale: 1.7 };
    const prototypes = random.normals(K * dim);
    const z = random.normals(n * dim).map((value) => 1.7 * value + 0.2);
    // A window that is the last prototype, and one far away.
    z.set(prototypes.subarray((K - 1) * dim).map((value) => value * 1.7 + 0.2));
    z.set(
      z.subarray(-dim).map((value) => 30 * value),
      (n - 1) * dim,
    );
    const found = similarityMatrix(z, packPrototypes(prototypes, dim), normalisation);
    expect(found).toHaveLength(n * K);
    for (let i = 0; i < n; i++) {
      const x = Float64Array.from(z.subarray(i * dim, (i + 1) * dim), (value) => (value - 0.2) / 1.7);
      for (let k = 0; k < K; k++) {
        const expected = Math.exp(-squaredDistance(x, 0, Float64Array.from(prototypes), k * dim, dim) / dim);
        expect(Math.abs((found[i * K + k] ?? NaN) - expected)).toBeLessThanOrEqual(1e-11 * expected + 1e-300);
        expect(found[i * K + k]).toBeLessThanOrEqual(1);
      }
    }
  });
});
