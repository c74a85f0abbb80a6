import { describe, expect, it } from 'vitest';
import {
  nearestStandardised,
  standardisationOf,
  standardise,
} from '../../../models/neighbours/standardised.ts';
import { Random } from '../../../models/numerics/random.ts';

/** Plain twin: every row, in double precision, sorted. */
function plain(
  vectors: Float32Array,
  dim: number,
  query: number[],
  metric: 'euclidean' | 'cosine',
): number[] {
  const count = vectors.length / dim;
  const value = (row: number, d: number): number => vectors[row * dim + d] ?? 0;
  const rows = Array.from({ length: count }, (_, row) => row);
  const means = Array.from(
    { length: dim },
    (_, d) => rows.reduce((sum, row) => sum + value(row, d), 0) / count,
  );
  const deviations = means.map((mean, d) =>
    Math.sqrt(rows.reduce((sum, row) => sum + (value(row, d) - mean) ** 2, 0) / count),
  );
  const place = (row: number): number[] =>
    means.map((mean, d) => {
      const deviation = deviations[d] ?? 0;
      return deviation < 1e-9 ? 0 : (value(row, d) - mean) / deviation;
    });
  const length = (v: readonly number[]): number => Math.hypot(...v);
  const distance = (a: readonly number[], b: readonly number[]): number =>
    metric === 'euclidean'
      ? Math.hypot(...a.map((x, d) => x - (b[d] ?? 0)))
      : 1 - a.reduce((sum, x, d) => sum + x * (b[d] ?? 0), 0) / (length(a) * length(b));
  return rows.map((row) => distance(place(row), query));
}

describe('neighbours among standardised rows', () => {
  const dim = 5;
  const random = new Random(7);
  // Far from the origin, of very different spreads, one dimension without any.
  const vectors = Float32Array.from({ length: 300 * dim }, (_, i) =>
    i % dim === 4 ? 3 : 1000 * (i % dim) + random.normal() * 10 ** ((i % dim) - 2),
  );

  it.each(['euclidean', 'cosine'] as const)('are those of a plain computation (%s)', async (metric) => {
    const made = await standardisationOf(vectors, dim);
    expect(made.scale[4]).toBe(0);
    const query = standardise(vectors.slice(11 * dim, 12 * dim), made);
    const found = await nearestStandardised(vectors, made, query, { k: 20, metric });
    const distances = plain(vectors, dim, [...query], metric);
    const expected = [...distances].sort((a, b) => a - b).slice(0, 20);
    expect(found).toHaveLength(20);
    expect(found[0]?.row).toBe(11);
    found.forEach(({ row, distance }, i) => {
      expect(distance).toBeCloseTo(expected[i] ?? NaN, 3);
      expect(distance).toBeCloseTo(distances[row] ?? NaN, 3);
    });
  });

  it('do not depend on how many rows are compared at once, nor end past the last one', async () => {
    // More values than one portion holds.
    const wide = 4096;
    const many = Float32Array.from({ length: 600 * wide }, () => random.uniform());
    const made = await standardisationOf(many, wide);
    const query = standardise(many.slice(500 * wide, 501 * wide), made);
    const found = await nearestStandardised(many, made, query, { k: 1000, metric: 'euclidean' });
    expect(found).toHaveLength(600);
    expect(found[0]).toEqual({ row: 500, distance: 0 });
    expect(new Set(found.map(({ row }) => row)).size).toBe(600);
    const ascending = found.every(({ distance }, i) => distance >= (found[i - 1]?.distance ?? 0));
    expect(ascending).toBe(true);
  });

  it('give up when they are told to', async () => {
    const reason = new Error('enough');
    const made = await standardisationOf(vectors, dim);
    const query = standardise(vectors.slice(0, dim), made);
    const signal = AbortSignal.abort(reason);
    const many = new Float32Array(4_000_000).fill(1);
    await expect(nearestStandardised(many, made, query, { k: 1, metric: 'cosine', signal })).rejects.toBe(
      reason,
    );
  });
});
