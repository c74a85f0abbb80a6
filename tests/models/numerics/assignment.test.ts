import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assign } from '../../../models/numerics/assignment.ts';
import { Pacer } from '../../../models/numerics/pacer.ts';
import { Random } from '../../../models/numerics/random.ts';

const pacer = new Pacer(new AbortController().signal);

/** Least total cost of all assignments, by trying each. */
function least(cost: Float64Array, rows: number, columns: number): number {
  const wanted = Math.min(rows, columns);
  const best = (row: number, used: ReadonlySet<number>): number => {
    if (used.size === wanted) return 0;
    if (row === rows) return Infinity;
    let sum = rows > columns ? best(row + 1, used) : Infinity;
    for (let j = 0; j < columns; j++)
      if (!used.has(j))
        sum = Math.min(sum, (cost[row * columns + j] ?? 0) + best(row + 1, new Set([...used, j])));
    return sum;
  };
  return best(0, new Set());
}

describe('assignment of least cost', () => {
  it('costs what the best of all does, whichever side is longer', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 6 }),
        fc.maxSafeInteger(),
        fc.boolean(),
        async (rows, columns, seed, ties) => {
          const random = new Random(seed);
          const cost = Float64Array.from({ length: rows * columns }, () =>
            ties ? random.integer(3) : 10 * random.uniform() - 3,
          );
          const columnOf = await assign(cost, rows, columns, pacer);
          const taken = [...columnOf].flatMap((j, i) => (j < 0 ? [] : [[i, j] as const]));
          expect(taken).toHaveLength(Math.min(rows, columns));
          expect(new Set(taken.map(([, j]) => j)).size).toBe(taken.length);
          const total = taken.reduce((sum, [i, j]) => sum + (cost[i * columns + j] ?? 0), 0);
          expect(total).toBeCloseTo(least(cost, rows, columns), 9);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('finds a shuffled order again among many', async () => {
    const random = new Random(4);
    const n = 200;
    const order = random.shuffle(Array.from({ length: n }, (_, i) => i));
    const cost = Float64Array.from({ length: n * n }, () => 1 + random.uniform());
    for (const [i, j] of order.entries()) cost[i * n + j] = 0;
    expect([...(await assign(cost, n, n, pacer))]).toEqual(order);
  });
});
