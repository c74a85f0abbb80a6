import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearestRows } from '../../models/knn/index.ts';
import { compareAllRows } from '../../models/neighbours/brute.ts';
import { ExactIndex, type Neighbour } from '../../models/neighbours/exact.ts';
import { Random } from '../../models/numerics/random.ts';

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

  // Everything below is asked often enough, of enough rows, for the codes to be used.
  const [count, dim] = [20_000, 32];
  const rows = (make: (i: number, row: number, random: Random) => number): Float32Array => {
    const random = new Random(7);
    return Float32Array.from({ length: count * dim }, (_, i) => make(i, Math.floor(i / dim), random));
  };
  const sets: Record<string, () => Float32Array> = {
    normals: () => rows((_, __, random) => random.normal()),
    'normals far from the origin': () => rows((i, _, random) => random.normal() + (i % dim === 0 ? 3000 : 0)),
    'close clusters': () =>
      rows((i, row, random) => Math.sin((row % 40) * (i % dim)) + 0.02 * random.normal()),
    'components of unequal size': () => rows((i, _, random) => random.normal() * 10 ** -(i % dim)),
    'rows of unequal length': () => rows((_, row, random) => random.normal() * 10 ** ((row % 60) - 30)),
    'small whole numbers, full of ties': () => rows((i, _, random) => (i % dim < 4 ? random.integer(4) : 0)),
    'zeros and copies': () => rows((i, row) => (row % 3 === 0 ? 0 : ((row * 7 + i) % 11) - 5)),
    'enormous numbers': () => rows((_, __, random) => random.normal() * 1e37),
    'minute numbers': () => rows((_, __, random) => random.normal() * 1e-42),
    'all equal': () => rows(() => 2.5),
  };

  it.each(
    Object.keys(sets).flatMap((name) => (['euclidean', 'cosine'] as const).map((m) => [name, m] as const)),
  )('gives the row-by-row answer bit for bit: %s (%s)', async (name, metric) => {
    const vectors = sets[name]?.() ?? new Float32Array(0);
    const random = new Random(8);
    const query = (kind: number): Float32Array => {
      const base = random.integer(count) * dim;
      const own = vectors.slice(base, base + dim);
      // Rows themselves, rows disturbed, nothing at all, and something far away.
      if (kind === 1) return own.map((value) => value * (1 + 0.01 * random.normal()));
      if (kind === 2) return new Float32Array(dim);
      return kind === 3 ? own.map(() => 1e6 * random.normal()) : own;
    };
    const asked = Float32Array.from(Array.from({ length: 12 }, (_, i) => [...query(i % 4)]).flat());
    const index = await ExactIndex.build(vectors, dim, metric);
    const expected = await compareAllRows(
      { features: vectors, count, dim },
      { features: asked, count: 12 },
      { k: 10, metric },
    );
    const wanted = Array.from({ length: 12 }, (_, q) =>
      Array.from(expected.rows.subarray(q * 10, (q + 1) * 10), (row, i) => {
        const distance = expected.distances[q * 10 + i] ?? NaN;
        return { row, distance: metric === 'euclidean' ? Math.sqrt(distance) : distance };
      }),
    );
    // The kNN classifiers search by the same index, and see the very numbers that were compared.
    expect(
      await nearestRows({ features: vectors, count, dim }, { features: asked, count: 12 }, { k: 10, metric }),
    ).toEqual(expected);
    // Twelve together by products, seven by scans.
    expect(await index.query(asked, 10)).toEqual(wanted);
    expect(await index.query(asked.subarray(0, 7 * dim), 10)).toEqual(wanted.slice(0, 7));
    // Ordinary rows must be told apart by their codes; a search row by row would be right, and slow.
    if (name.includes('normals') || name === 'close clusters') expect(index.fallbacks).toBeLessThan(12);
    if (name === 'all equal') expect(index.fallbacks).toBeGreaterThan(0);
    await index.close();
  });

  it('tells the rows of a dense group among very many apart without comparing all', async () => {
    const [many, few] = [300_000, 8];
    const random = new Random(9);
    // A fifteenth of the rows are so near each other that no code tells them apart, more than are on offer at first.
    const vectors = Float32Array.from({ length: many * few }, (_, i) =>
      Math.floor(i / few) % 15 === 0 ? 3 + 1e-6 * random.normal() : 10 * random.normal(),
    );
    const asked = vectors.slice(0, 12 * 15 * few).filter((_, i) => Math.floor(i / few) % 15 === 0);
    const index = await ExactIndex.build(vectors, few);
    const expected = await compareAllRows(
      { features: vectors, count: many, dim: few },
      { features: asked, count: 12 },
      { k: 10, metric: 'euclidean' },
    );
    expect(await index.nearest(asked, 10)).toEqual(expected);
    // Fewer are scanned than multiplied.
    const first = await index.nearest(asked.subarray(0, 7 * few), 10);
    expect(first.rows).toEqual(expected.rows.subarray(0, 70));
    expect(index.fallbacks).toBe(0);
    await index.close();
  });

  it('is not opened again by a search after its end', async () => {
    const index = await ExactIndex.build(sets['normals']?.() ?? new Float32Array(0), dim);
    const asked = new Float32Array(12 * dim);
    await index.close();
    await expect(index.query(asked, 10)).rejects.toThrow('closed');
    await expect(index.nearest(asked, 10)).rejects.toThrow('closed');
  });

  it('serves searches that overlap, and stops one that is aborted without harming the next', async () => {
    const vectors = sets['normals']?.() ?? new Float32Array(0);
    const index = await ExactIndex.build(vectors, dim);
    const asked = vectors.slice(0, 40 * dim);
    const own = (found: Neighbour[][]): (number | undefined)[] => found.map((near) => near[0]?.row);
    const all = Array.from({ length: 40 }, (_, i) => i);
    const stop = new AbortController();
    const aborted = index.query(asked, 5, { signal: stop.signal });
    const [first, second] = [index.query(asked, 5), index.query(asked.subarray(0, 7 * dim), 5)];
    stop.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    expect(own(await first)).toEqual(all);
    expect(own(await second)).toEqual(all.slice(0, 7));
    await index.close();
  });

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
