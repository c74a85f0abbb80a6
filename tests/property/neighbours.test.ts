import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExactIndex, type Neighbour } from '../../models/neighbours/exact.ts';
import { Random } from '../../models/random.ts';

function bruteForce(
  vectors: Float32Array,
  queries: Float32Array,
  dim: number,
  k: number,
  metric: 'euclidean' | 'cosine',
): Neighbour[][] {
  const row = (all: Float32Array, i: number): number[] => Array.from(all.subarray(i * dim, (i + 1) * dim));
  return Array.from({ length: queries.length / dim }, (_, q) => {
    const query = row(queries, q);
    const all = Array.from({ length: vectors.length / dim }, (_unused, i) => {
      const other = row(vectors, i);
      const dot = query.reduce((sum, value, d) => sum + value * (other[d] ?? 0), 0);
      const squares = (v: number[]): number => v.reduce((sum, value) => sum + value * value, 0);
      const euclidean = Math.sqrt(squares(query.map((value, d) => value - (other[d] ?? 0))));
      const lengths = Math.sqrt(squares(query)) * Math.sqrt(squares(other));
      return { row: i, distance: metric === 'euclidean' ? euclidean : lengths === 0 ? 1 : 1 - dot / lengths };
    });
    return all.sort((a, b) => a.distance - b.distance || a.row - b.row).slice(0, k);
  });
}

/** Equal up to the order of rows whose distances differ by rounding only. */
function expectSame(found: Neighbour[][], expected: Neighbour[][]): void {
  expect(found.length).toBe(expected.length);
  found.forEach((own, q) => {
    const wanted = expected[q] ?? [];
    expect(own.length).toBe(wanted.length);
    const near = own.filter(({ distance }, i) => !(Math.abs(distance - (wanted[i]?.distance ?? NaN)) < 1e-9));
    expect(near).toEqual([]);
    expect(new Set(own.map(({ row }) => row)).size).toBe(own.length);
    for (let i = 1; i < own.length; i++) {
      const [a, b] = [own[i - 1], own[i]];
      if (!a || !b) continue;
      expect(a.distance < b.distance || (a.distance === b.distance && a.row < b.row)).toBe(true);
    }
  });
}

describe('ExactIndex', () => {
  it('equals brute force on small sets with many ties (row-by-row path)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.integer({ min: -2, max: 2 }), { minLength: 5, maxLength: 60 }),
        fc.integer({ min: 1, max: 8 }),
        fc.constantFrom('euclidean' as const, 'cosine' as const),
        async (dim, numbers, k, metric) => {
          const vectors = Float32Array.from(numbers.slice(0, numbers.length - (numbers.length % dim)));
          const index = await ExactIndex.build(vectors, dim, metric);
          expectSame(await index.query(vectors, k), bruteForce(vectors, vectors, dim, k, metric));
          await index.close();
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each(['euclidean', 'cosine'] as const)(
    'equals brute force through the ONNX graph: several blocks, far from the origin, with duplicates (%s)',
    async (metric) => {
      const [count, dim, queries] = [9000, 12, 40];
      const random = new Random(7);
      const vectors = random.normals(count * dim).map((value, i) => value + (i % dim === 0 ? 30 : 0));
      // Sixty copies of one row: more ties than the search has spare candidates.
      for (let i = 0; i < 60; i++) vectors.set(vectors.subarray(0, dim), (100 * i + 5) * dim);
      const asked = Float32Array.from([
        ...vectors.subarray(0, dim),
        ...vectors.subarray(4000 * dim, (4000 + queries - 1) * dim),
      ]);
      const index = await ExactIndex.build(vectors, dim, metric);
      const found = await index.query(asked, 10);
      expectSame(found, bruteForce(vectors, asked, dim, 10, metric));
      expect(found[0]?.map(({ row }) => row)).toEqual([0, 5, 105, 205, 305, 405, 505, 605, 705, 805]);
      // The proof must hold for ordinary queries; only the tied ones may need the slow path.
      expect(index.fallbacks).toBeGreaterThan(0);
      expect(index.fallbacks).toBeLessThan(4);
      await index.close();
    },
  );

  it('gives all rows when fewer than k exist, and refuses bad input', async () => {
    const index = await ExactIndex.build(Float32Array.of(0, 1, 3), 1, 'euclidean');
    expect(await index.query(Float32Array.of(2), 10)).toEqual([
      [
        { row: 1, distance: 1 },
        { row: 2, distance: 1 },
        { row: 0, distance: 2 },
      ],
    ]);
    await expect(index.query(Float32Array.of(2), 0)).rejects.toMatchObject({ code: 'bad-parameter' });
    await expect(index.query(Float32Array.of(NaN), 1)).rejects.toMatchObject({ code: 'not-finite' });
    await expect(ExactIndex.build(new Float32Array(0), 3)).rejects.toMatchObject({ code: 'empty' });
    await expect(ExactIndex.build(Float32Array.of(1, 2, 3), 2)).rejects.toMatchObject({ code: 'shape' });
    await index.close();
    await expect(index.query(Float32Array.of(2), 1)).rejects.toThrow('closed');
  });
});
