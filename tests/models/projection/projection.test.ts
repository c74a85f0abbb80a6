import { PCA } from 'ml-pca';
import { UMAP } from 'umap-js';
import { describe, expect, it, vi } from 'vitest';
import { ExactIndex } from '../../../models/neighbours/exact.ts';
import { layoutOf } from '../../../models/projection/layout.ts';
import { neighbourGraph } from '../../../models/projection/neighbour-graph.ts';
import { PlaneIndex } from '../../../models/projection/plane.ts';
import { fitPca, fitUmap, projectionTrust } from '../../../models/projection/index.ts';
import { Random } from '../../../models/numerics/random.ts';

/** Rows around `centres` cluster centres, with clearly unequal variances along the axes. */
function makeVectors(count: number, dim: number, centres: number, seed = 1): Float32Array {
  const random = new Random(seed);
  const middle = Float32Array.from({ length: centres * dim }, () => 6 * random.normal());
  return Float32Array.from({ length: count * dim }, (_, i) => {
    const row = Math.floor(i / dim);
    const d = i % dim;
    return (middle[(row % centres) * dim + d] ?? 0) + random.normal() * (1 + 8 / (1 + d)) + 5;
  });
}

describe('PCA', () => {
  it.each([8, 100])(
    'equals ml-pca on the whole data (%i dimensions), first loading positive',
    async (dim) => {
      const vectors = makeVectors(120, dim, 3);
      const rows = Array.from({ length: 120 }, (_, i) =>
        Array.from(vectors.subarray(i * dim, (i + 1) * dim)),
      );
      const expected = new PCA(rows).predict(rows, { nComponents: 2 }).to2DArray();
      const fitted = await fitPca(vectors, dim);
      const { x, y } = await fitted.project(vectors);
      for (const [axis, values] of [x, y].entries()) {
        const sign = Math.sign((values[0] ?? 0) * (expected[0]?.[axis] ?? 0));
        values.forEach((value, i) => expect(value).toBeCloseTo(sign * (expected[i]?.[axis] ?? NaN), 3));
        const loadings = [...(fitted.axes[axis] ?? [])];
        const largest = loadings.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
        expect(largest).toBeGreaterThan(0);
      }
      expect(fitted.explained[0]).toBeGreaterThan(fitted.explained[1]);
      expect(fitted.explained[0] + fitted.explained[1]).toBeLessThanOrEqual(1);
      const again = await (await fitPca(vectors, dim)).project(vectors);
      expect(again.x).toEqual(x);
    },
  );

  it('places prototypes exactly where the same vectors lie', async () => {
    const vectors = makeVectors(50, 60, 2);
    const fitted = await fitPca(vectors, 60);
    const all = await fitted.project(vectors);
    const one = await fitted.project(vectors.subarray(7 * 60, 8 * 60));
    expect([one.x[0], one.y[0]]).toEqual([all.x[7], all.y[7]]);
  });

  it('handles one row, constant rows, two rows and one dimension', async () => {
    const place = async (values: number[], dim: number): Promise<number[][]> => {
      const vectors = Float32Array.from(values);
      const { x, y } = await (await fitPca(vectors, dim)).project(vectors);
      return [...x].map((value, i) => [Math.abs(value), Math.abs(y[i] ?? NaN)]);
    };
    expect(await place([1, 2, 3], 3)).toEqual([[0, 0]]);
    expect(await place([0.1, 0.2, 0.1, 0.2, 0.1, 0.2], 2)).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
    expect(await place([0, 0, 2, 0], 2)).toEqual([
      [1, 0],
      [1, 0],
    ]);
    expect(await place([0, 2], 1)).toEqual([
      [1, 0],
      [1, 0],
    ]);
    const wide = Array.from({ length: 200 }, (_, i) => (i < 100 ? 0 : 1));
    expect(await place(wide, 100)).toEqual([
      [5, 0],
      [5, 0],
    ]);
  });

  it('refuses nothing, wrong sizes and values that are not finite', async () => {
    await expect(fitPca(new Float32Array(0), 3)).rejects.toMatchObject({ code: 'empty' });
    await expect(fitPca(new Float32Array(4), 3)).rejects.toMatchObject({ code: 'shape' });
    await expect(fitPca(Float32Array.of(1, NaN), 1)).rejects.toMatchObject({ code: 'not-finite' });
  });
});

describe('UMAP', () => {
  it('keeps clusters together, repeats with its seed, reports passes, places prototypes', async () => {
    const [count, dim, centres] = [150, 16, 3];
    const vectors = makeVectors(count, dim, centres);
    const seen: number[] = [];
    const map = await fitUmap(vectors, dim, { seed: 4, onProgress: (fraction) => seen.push(fraction) });
    expect(map.method).toBe('umap');
    expect(seen.at(-1)).toBe(1);
    const again = await fitUmap(vectors, dim, { seed: 4 });
    expect([again.x, again.y]).toEqual([map.x, map.y]);
    const other = await fitUmap(vectors, dim, { seed: 5 });
    expect(other.x).not.toEqual(map.x);
    const trust = await projectionTrust(vectors, dim, map, { seed: 1 });
    const scattered = new Random(9).normals(2 * count);
    const chance = { x: scattered.slice(0, count), y: scattered.slice(count) };
    const guess = await projectionTrust(vectors, dim, chance, { seed: 1 });
    expect(trust).toBeGreaterThan(guess + 0.2);
    const placed = await map.place(vectors.subarray(0, dim));
    const away = Math.hypot((placed.x[0] ?? 0) - (map.x[0] ?? 0), (placed.y[0] ?? 0) - (map.y[0] ?? 0));
    const extent = Math.max(...map.x) - Math.min(...map.x);
    expect(away).toBeLessThan(extent / 4);
  });

  it('cancels', async () => {
    const abort = new AbortController();
    const run = fitUmap(makeVectors(400, 8, 4), 8, {
      seed: 1,
      signal: abort.signal,
      onProgress: () => abort.abort(new Error('stop')),
    });
    await expect(run).rejects.toThrow('stop');
  });

  it('does no more work for copies than for what they are copies of', async () => {
    const dim = 8;
    const random = new Random(5);
    const own = Float32Array.from({ length: 400 * dim }, () => random.normal());
    const inPlaces = (places: number): Float32Array =>
      Float32Array.from(
        { length: 400 * dim },
        (_, i) => own[(Math.floor(i / dim) % places) * dim + (i % dim)] ?? 0,
      );
    const build = vi.spyOn(ExactIndex, 'build');
    const rowsLaidOut = async (vectors: Float32Array): Promise<number> => {
      build.mockClear();
      await fitUmap(vectors, dim, { seed: 1 });
      return build.mock.calls.reduce((sum, [rows]) => sum + rows.length / dim, 0);
    };
    expect(await rowsLaidOut(own)).toBe(400);
    // Three places are too few for UMAP; forty are laid out as forty vectors are.
    expect(await rowsLaidOut(inPlaces(3))).toBe(0);
    expect(await rowsLaidOut(inPlaces(40))).toBe(40);
    vi.restoreAllMocks();
  });

  it('keeps neighbourhoods as well as umap-js does', async () => {
    const [count, dim] = [500, 24];
    const vectors = makeVectors(count, dim, 12, 3);
    const ours = await projectionTrust(vectors, dim, await fitUmap(vectors, dim, { seed: 1 }), { seed: 1 });
    const random = new Random(1);
    const other = new UMAP({ nNeighbors: 15, minDist: 0.1, random: () => random.uniform() }).fit(
      Array.from({ length: count }, (_, row) => Array.from(vectors.subarray(row * dim, (row + 1) * dim))),
    );
    const theirs = {
      x: Float32Array.from(other, ([x]) => x ?? NaN),
      y: Float32Array.from(other, ([, y]) => y ?? NaN),
    };
    expect(ours).toBeGreaterThan((await projectionTrust(vectors, dim, theirs, { seed: 1 })) - 0.02);
  });

  it('lays out a seeded sample of very many vectors and places the rest among it', async () => {
    const [count, dim, centres] = [600, 12, 6];
    const vectors = makeVectors(count, dim, centres, 2);
    const options = { seed: 1, mostLaidOut: 300 };
    const map = await fitUmap(vectors, dim, options);
    const again = await fitUmap(vectors, dim, options);
    expect([again.x, again.y]).toEqual([map.x, map.y]);
    const whole = await projectionTrust(vectors, dim, await fitUmap(vectors, dim, { seed: 1 }), { seed: 1 });
    expect(await projectionTrust(vectors, dim, map, { seed: 1 })).toBeGreaterThan(whole / 2);
  });

  it('leaves the thread that asks free, and ends its own at once when it is cancelled', async () => {
    const vectors = makeVectors(1500, 16, 5);
    const graph = await neighbourGraph(vectors, 16, 14);
    const start = await (await fitPca(vectors, 16)).project(vectors);
    const stop = new AbortController();
    let turns = 0;
    const run = layoutOf(graph, start, { seed: 1, passes: 1_000_000, signal: stop.signal });
    const counting = setInterval(() => (turns += 1), 5);
    setTimeout(() => stop.abort(new Error('enough')), 300);
    await expect(run).rejects.toThrow('enough');
    clearInterval(counting);
    // On one thread with the layout there would be none.
    expect(turns).toBeGreaterThan(3);
  });

  it('says that it used PCA for few or equal vectors, and handles fewer vectors than neighbours', async () => {
    expect((await fitUmap(Float32Array.of(1, 2, 3, 4), 2, { seed: 1 })).method).toBe('pca');
    const equal = await fitUmap(new Float32Array(40).fill(2), 2, { seed: 1 });
    expect([equal.method, ...equal.x, ...equal.y]).toEqual(['pca', ...new Array<number>(40).fill(0)]);
    const few = await fitUmap(makeVectors(6, 3, 2), 3, { seed: 1 });
    expect(few.method).toBe('umap');
    expect([...few.x, ...few.y].every(Number.isFinite)).toBe(true);
    await expect(fitUmap(makeVectors(6, 3, 2), 3, { seed: 1, neighbours: 1 })).rejects.toMatchObject({
      code: 'bad-parameter',
    });
  });
});

describe('neighbour graph', () => {
  it('is that of comparing every pair, and leaves a row out of its own neighbours among copies too', async () => {
    const [count, dim, width] = [60, 5, 7];
    const vectors = makeVectors(count, dim, 4);
    for (let copy = 1; copy < 12; copy++) vectors.copyWithin(copy * dim, 0, dim);
    const graph = await neighbourGraph(vectors, dim, width);
    for (let row = 0; row < count; row++) {
      const all = Array.from({ length: count }, (_, other) => {
        let sum = 0;
        for (let d = 0; d < dim; d++)
          sum += ((vectors[row * dim + d] ?? 0) - (vectors[other * dim + d] ?? 0)) ** 2;
        return { other, distance: Math.sqrt(sum) };
      }).filter(({ other }) => other !== row);
      all.sort((a, b) => a.distance - b.distance || a.other - b.other);
      const own = Array.from(graph.rows.subarray(row * width, (row + 1) * width));
      expect(own).not.toContain(row);
      const distances = graph.distances.subarray(row * width, (row + 1) * width);
      all.slice(0, width).forEach(({ distance }, i) => expect(distances[i]).toBeCloseTo(distance, 4));
      if (row >= 12) expect(own).toEqual(all.slice(0, width).map(({ other }) => other));
    }
  });
});

describe('nearest points of a plane', () => {
  it('are those of looking at all, for even, crowded and equal points', () => {
    const random = new Random(3);
    const even = (count: number): [Float32Array, Float32Array] => [
      Float32Array.from({ length: count }, () => random.uniform()),
      Float32Array.from({ length: count }, () => random.uniform()),
    ];
    const [crowdX, crowdY] = even(120);
    crowdX.forEach((_, i) => (crowdX[i] = i < 60 ? 0.5 + 1e-4 * random.normal() : (crowdX[i] ?? 0)));
    const line: [Float32Array, Float32Array] = [
      Float32Array.from({ length: 50 }, (_, i) => i % 7),
      new Float32Array(50),
    ];
    const squaredTo = (x: Float32Array, y: Float32Array, point: number) => (other: number) =>
      ((x[other] ?? 0) - (x[point] ?? 0)) ** 2 + ((y[other] ?? 0) - (y[point] ?? 0)) ** 2;
    for (const [x, y] of [even(150), [crowdX, crowdY] as const, line]) {
      const plane = new PlaneIndex(x, y);
      for (let point = 0; point < x.length; point++) {
        const squared = squaredTo(x, y, point);
        const others = Array.from(x, (_, other) => other).filter((other) => other !== point);
        const found = plane.nearest(point, 6);
        expect(new Set(found).size).toBe(6);
        // Which of equally far ones they are is not said.
        expect(found.map(squared)).toEqual(
          others
            .map(squared)
            .sort((a, b) => a - b)
            .slice(0, 6),
        );
      }
    }
    expect(new PlaneIndex(Float32Array.of(1), Float32Array.of(1)).nearest(0, 3)).toEqual([]);
    expect(new PlaneIndex(Float32Array.of(1, NaN), Float32Array.of(1, Infinity)).nearest(0, 3)).toEqual([1]);
  });

  it('cost no more where one of them lies far away', () => {
    const random = new Random(4);
    const [x, y] = [new Float32Array(20_000), new Float32Array(20_000)].map((values) =>
      values.map(() => random.normal()),
    ) as [Float32Array, Float32Array];
    const cost = (): number => {
      const before = process.cpuUsage();
      const plane = new PlaneIndex(x, y);
      for (let point = 0; point < x.length; point++) plane.nearest(point, 10);
      return process.cpuUsage(before).user;
    };
    cost();
    const even = cost();
    x[0] = 1e6;
    expect(cost()).toBeLessThan(4 * even);
  });
});

describe('projectionTrust', () => {
  it('is 1 for a map that is the data', async () => {
    const vectors = makeVectors(60, 2, 3);
    const map = { x: vectors.filter((_, i) => i % 2 === 0), y: vectors.filter((_, i) => i % 2 === 1) };
    expect(await projectionTrust(vectors, 2, map, { seed: 1 })).toBe(1);
  });
});
