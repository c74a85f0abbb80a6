import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pacer } from '../../models/numerics/pacer.ts';
import { Random } from '../../models/numerics/random.ts';
import { mrsp2Path } from '../../models/reduction/mrsp2.ts';
import { chenPath } from '../../models/reduction/chen.ts';
import { RowDistances } from '../../models/reduction/distances.ts';
import { FarthestPairs } from '../../models/reduction/farthest.ts';
import { reduce, reductionMethods } from '../../models/reduction/index.ts';
import type { LabelledVectors } from '../../models/embeddings/labelled-vectors.ts';

const signal = new AbortController().signal;

/** Few distinct values, so that ties, duplicates and empty halves are the rule. */
const sets: fc.Arbitrary<LabelledVectors> = fc
  .record({
    dim: fc.integer({ min: 1, max: 3 }),
    labelCount: fc.integer({ min: 1, max: 3 }),
    count: fc.integer({ min: 1, max: 24 }),
  })
  .chain(({ dim, labelCount, count }) =>
    fc.record({
      dim: fc.constant(dim),
      count: fc.constant(count),
      features: fc
        .array(fc.integer({ min: 0, max: 3 }), { minLength: count * dim, maxLength: count * dim })
        .map((values) => Float64Array.from(values)),
      labels: fc
        .array(fc.integer({ min: 0, max: 1 }), {
          minLength: count * labelCount,
          maxLength: count * labelCount,
        })
        .map((values) => Uint8Array.from(values)),
      labelNames: fc.constant(Array.from({ length: labelCount }, (_, l) => `l${l}`)),
    }),
  );

/** The same rows, each with the one label its labelset happens to point at. */
function withOneLabel(data: LabelledVectors): LabelledVectors {
  const width = data.labelNames.length;
  const labels = new Uint8Array(data.labels.length);
  for (let row = 0; row < data.count; row++) {
    const borne = data.labels.subarray(row * width, (row + 1) * width).indexOf(1);
    labels[row * width + Math.max(0, borne)] = 1;
  }
  return { ...data, labels };
}

function distance(data: LabelledVectors, i: number, j: number): number {
  let sum = 0;
  for (let d = 0; d < data.dim; d++)
    sum += ((data.features[i * data.dim + d] ?? NaN) - (data.features[j * data.dim + d] ?? NaN)) ** 2;
  return Math.sqrt(sum);
}

/** The exhaustive scan of SPEC §1: pairs in lexicographic order, first strict maximum. */
function scanPairs(
  data: LabelledVectors,
  rows: number[],
): { first: number; second: number; distance: number } {
  let best = { first: rows[0] ?? -1, second: rows[0] ?? -1, distance: 0 };
  rows.forEach((first, a) =>
    rows.slice(a + 1).forEach((second) => {
      const d = distance(data, first, second);
      if (d > best.distance) best = { first, second, distance: d };
    }),
  );
  return best;
}

/** MChen's partition straight from SPEC §3, with nothing cached and nothing pruned. */
function plainChen(data: LabelledVectors, cells: number): number[][] {
  const width = data.labelNames.length;
  const labelset = (row: number): string => data.labels.subarray(row * width, (row + 1) * width).join('');
  const clusters = new Map<number, number[]>([[1, Array.from({ length: data.count }, (_, row) => row)]]);
  let next = 1;
  for (let made = 1; made < cells; made++) {
    const rows = clusters.get(next) ?? [];
    const pair = scanPairs(data, rows);
    const isNear = (row: number): boolean =>
      distance(data, row, pair.first) <= distance(data, row, pair.second);
    clusters.delete(next);
    clusters.set(next, rows.filter(isNear));
    clusters.set(
      made + 1,
      rows.filter((row) => !isNear(row)),
    );
    const filled = [...clusters].filter(([, own]) => own.length > 0);
    const mixed = filled.filter(([, own]) => new Set(own.map(labelset)).size > 1);
    let widest = -Infinity;
    for (const [id, own] of mixed.length > 0 ? mixed : filled) {
      const diameter = scanPairs(data, own).distance;
      if (own.length > 1 && diameter > widest) {
        widest = diameter;
        next = id;
      }
    }
  }
  return [...clusters.values()].filter((rows) => rows.length > 0);
}

/** MRSP2 as intended, straight from SPEC §5, with nothing cached. */
function plainOverlapSplitting(data: LabelledVectors, cells: number): number[][] {
  const width = data.labelNames.length;
  const labelset = (row: number): string => data.labels.subarray(row * width, (row + 1) * width).join('');
  const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const overlap = (rows: number[]): number => {
    const pairs = rows.flatMap((a, i) => rows.slice(i + 1).map((b) => [a, b] as const));
    const equal = pairs.filter(([a, b]) => labelset(a) === labelset(b));
    const different = pairs.filter(([a, b]) => labelset(a) !== labelset(b));
    if (equal.length === 0 || different.length === 0) return 0;
    return (
      mean(different.map(([a, b]) => distance(data, a, b))) /
      mean(equal.map(([a, b]) => distance(data, a, b)))
    );
  };
  const clusters = new Map<number, number[]>([[1, Array.from({ length: data.count }, (_, row) => row)]]);
  let next = 1;
  for (let made = 1; made < cells; made++) {
    const rows = clusters.get(next) ?? [];
    const pair = scanPairs(data, rows);
    const isNear = (row: number): boolean =>
      distance(data, row, pair.first) <= distance(data, row, pair.second);
    clusters.delete(next);
    clusters.set(next, rows.filter(isNear));
    clusters.set(
      made + 1,
      rows.filter((row) => !isNear(row)),
    );
    const weights = (weigh: (own: number[]) => number): [number, number] => {
      let best: [number, number] = [next, -Infinity];
      for (const [id, own] of clusters) if (own.length > 1 && weigh(own) > best[1]) best = [id, weigh(own)];
      return best;
    };
    const [id, most] = weights(overlap);
    next = most > 0.001 ? id : weights((own) => scanPairs(data, own).distance)[0];
  }
  return [...clusters.values()].filter((rows) => rows.length > 0);
}

describe('reduction, whatever the data', () => {
  it('MChen: every prefix of one run equals the plain algorithm of that size, ties included', async () => {
    await fc.assert(
      fc.asyncProperty(sets, fc.constantFrom(1, 2, 3, 64), async (data, size) => {
        const distances = new RowDistances(data.features, data.count, data.dim, size);
        const path = await chenPath(data, data.count, new Pacer(), undefined, distances);
        for (let cells = 1; cells <= data.count; cells++)
          expect(path.cellsAt(cells).map((rows) => Array.from(rows))).toEqual(plainChen(data, cells));
      }),
      { numRuns: 150 },
    );
  });

  it('MRSP2: every prefix of one run equals the plain algorithm of that size', async () => {
    // Values drawn so finely that no two overlaps tie but for a reason both would see; on a line they do: of three rows
    // the one between the others is as far from both as these from each other, and rounding decides.
    const planar = sets.filter(({ dim }) => dim > 1);
    const fine = fc.tuple(planar, fc.integer({ min: 0, max: 2 ** 31 - 1 })).map(([data, seed]) => {
      const random = new Random(seed);
      return { ...data, features: Float64Array.from(data.features, (x) => x + random.uniform()) };
    });
    await fc.assert(
      fc.asyncProperty(fine, fc.constantFrom(1, 2, 5, 64), async (data, size) => {
        const distances = new RowDistances(data.features, data.count, data.dim, size);
        const path = await mrsp2Path(data, data.count, new Pacer(), undefined, distances);
        for (let cells = 1; cells <= data.count; cells += 3)
          expect(path.cellsAt(cells).map((rows) => Array.from(rows))).toEqual(
            plainOverlapSplitting(data, cells),
          );
      }),
      { numRuns: 60 },
    );
  });

  // Panels far smaller than in use, so that bounds between panels, merging and inheritance all take part.
  it.each([1, 2, 3, 5, 64])('farthest pairs equal the exhaustive scan (panels of %i)', async (size) => {
    await fc.assert(
      fc.asyncProperty(sets, async (data) => {
        const pacer = new Pacer();
        const distances = new RowDistances(data.features, data.count, data.dim, size);
        const farthest = new FarthestPairs(distances, pacer);
        const open = [await distances.root(pacer)];
        for (let cell = open.pop(); cell; cell = open.pop()) {
          const pair = await farthest.of(cell);
          expect(pair).toEqual(
            scanPairs(
              data,
              Array.from(cell.rows).sort((a, b) => a - b),
            ),
          );
          const [near, rest] = await farthest.split(cell, pair);
          if (rest) open.push(near, rest);
        }
      }),
      { numRuns: 100 },
    );
  });

  it.each(reductionMethods.map(({ name }) => name))('%s: well-formed, deterministic', async (name) => {
    await fc.assert(
      fc.asyncProperty(sets, fc.integer({ min: 1, max: 100 }), async (drawn, p) => {
        const entry = reductionMethods.find((method) => method.name === name);
        const data = entry?.oneLabel ? withOneLabel(drawn) : drawn;
        const parameters = entry?.parameters.some((known) => known.name === 'p') ? { p } : {};
        if (!data.labels.includes(1)) return;
        const result = await reduce(name, data, parameters, { seed: 3, signal });
        const again = await reduce(name, data, parameters, { seed: 3, signal });
        expect(again).toEqual(result);
        const m = result.clusters.length;
        expect(m).toBeGreaterThan(0);
        expect([result.prototypes.length, result.labelsets.length]).toEqual([
          m * data.dim,
          m * data.labelNames.length,
        ]);
        expect(result.prototypes.every((value) => value >= 0 && value <= 3)).toBe(true);
        for (const rows of result.clusters) expect([...rows].sort((a, b) => a - b)).toEqual(rows);
        const rows = result.clusters.flat();
        if (name !== 'kmeans') expect(new Set(rows).size).toBe(rows.length);
        if (name.startsWith('M')) expect(rows.length).toBe(data.count);
      }),
      { numRuns: 40 },
    );
  });
});
