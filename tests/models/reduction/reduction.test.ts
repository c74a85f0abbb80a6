import { describe, expect, it } from 'vitest';
import { NumericError } from '../../../models/numerics/errors.ts';
import { Random } from '../../../models/numerics/random.ts';
import { reduce, reducePath, reductionMethods } from '../../../models/reduction/index.ts';
import type { LabelledVectors } from '../../../models/embeddings/labelled-vectors.ts';
import { targetSize } from '../../../models/reduction/splitPath.ts';
import { now, since, type Moment } from '../../support/effort.ts';

const signal = new AbortController().signal;

function makeSet(count: number, dim: number, labelCount: number, seed = 1): LabelledVectors {
  const random = new Random(seed);
  return {
    features: random.normals(count * dim),
    count,
    dim,
    labels: Uint8Array.from({ length: count * labelCount }, () => (random.uniform() < 0.4 ? 1 : 0)),
    labelNames: Array.from({ length: labelCount }, (_, l) => `label ${l}`),
  };
}

/** A set the method accepts: with one label per row where it wants that. */
function setFor(name: string, count: number, dim: number, labelCount: number): LabelledVectors {
  const data = makeSet(count, dim, labelCount);
  if (!reductionMethods.some((method) => method.name === name && method.oneLabel)) return data;
  const labels = new Uint8Array(count * labelCount);
  for (let row = 0; row < count; row++) labels[row * labelCount + (row % labelCount)] = 1;
  return { ...data, labels };
}

describe('reduce', () => {
  it('takes the median and a strict majority: half of two is off', async () => {
    const data: LabelledVectors = {
      features: Float64Array.of(0, 10, 2, 20, 100, 0, 102, 1),
      count: 4,
      dim: 2,
      labels: Uint8Array.of(1, 0, 1, 1, 0, 1, 0, 1),
      labelNames: ['a', 'b'],
    };
    const result = await reduce('MChen', data, { p: 50 }, { seed: 1, signal });
    expect(result.clusters).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(Array.from(result.prototypes)).toEqual([1, 15, 101, 0.5]);
    expect(Array.from(result.labelsets)).toEqual([1, 0, 0, 1]);
  });

  it('truncates the size as the reference: 90 % of 391 are 351', () => {
    expect(targetSize(90, 391)).toBe(351);
    expect(targetSize(10, 9)).toBe(0);
  });

  it('estimates the overlap of large clusters only: smaller sets come out as without', async () => {
    const small = makeSet(512, 6, 4);
    const exact = await reduce('MRSP2', small, { p: 10 }, { seed: 1, signal });
    const sampled = await reduce('MRSP2', small, { p: 10, variant: 'sampled' }, { seed: 1, signal });
    expect(sampled.clusters).toEqual(exact.clusters);
    expect(sampled.exactPrototypes).toEqual(exact.exactPrototypes);
  });

  it('estimates the overlap of large clusters the same way at each run', async () => {
    const large = makeSet(1500, 6, 2);
    const [first, second] = await Promise.all(
      [1, 2].map((seed) => reduce('MRSP2', large, { p: 0.4, variant: 'sampled' }, { seed, signal })),
    );
    expect(first?.clusters).toEqual(second?.clusters);
    expect(first?.clusters.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 1500 }, (_, i) => i));
  });

  it('keeps at least one prototype for a tiny set', async () => {
    for (const { name } of reductionMethods) {
      const data = { ...makeSet(1, 3, 2), labels: Uint8Array.of(1, 0) };
      const result = await reduce(name, data, {}, { seed: 1, signal });
      expect(result.clusters, name).toEqual([[0]]);
      expect(Array.from(result.prototypes), name).toEqual(Array.from(data.features));
    }
  });

  it('MRHC ends where k-means returns one group (three equal rows of different labels)', async () => {
    const data = {
      features: new Float32Array(3),
      count: 3,
      dim: 1,
      labels: Uint8Array.of(1, 0, 0, 1, 1, 0),
      labelNames: ['a', 'b'],
    };
    const result = await reduce('MRHC', data, {}, { seed: 1, signal });
    expect(result.clusters).toHaveLength(3);
  });

  it('stratified sampling keeps the shares of the labelsets; the seed matters', async () => {
    const labels = Uint8Array.from({ length: 100 }, (_, row) => (row < 80 ? 1 : 0));
    const data = { ...makeSet(100, 2, 1), labels };
    const one = await reduce('stratified', data, { p: 20 }, { seed: 1, signal });
    expect(one.clusters.filter(([row = 0]) => row < 80)).toHaveLength(16);
    expect(one.clusters.filter(([row = 0]) => row >= 80)).toHaveLength(4);
    const two = await reduce('stratified', data, { p: 20 }, { seed: 2, signal });
    expect(two.clusters).not.toEqual(one.clusters);
  });

  it('refuses what cannot work, saying why', async () => {
    const good = makeSet(6, 2, 2);
    const cases: [Partial<LabelledVectors>, number, string][] = [
      [{ count: 0, features: new Float32Array(0), labels: new Uint8Array(0) }, 10, 'empty'],
      [{ labelNames: [], labels: new Uint8Array(0) }, 10, 'no-labels'],
      [{ features: new Float32Array(11) }, 10, 'shape'],
      [{ labels: new Uint8Array(11) }, 10, 'shape'],
      [{ features: good.features.map((value, i) => (i === 7 ? NaN : value)) }, 10, 'not-finite'],
      [{ labels: good.labels.map((value, i) => (i === 3 ? 2 : value)) }, 10, 'bad-label'],
      [{}, 0, 'bad-parameter'],
      [{}, -5, 'bad-parameter'],
      [{}, 100.5, 'bad-parameter'],
      [{}, NaN, 'bad-parameter'],
    ];
    for (const [change, p, code] of cases) {
      const refused = reduce('MChen', { ...good, ...change }, { p }, { seed: 1, signal });
      await expect(refused).rejects.toBeInstanceOf(NumericError);
      await expect(refused).rejects.toMatchObject({ code });
    }
    await expect(reduce('MRSP3', good, { p: 10 }, { seed: 1, signal })).rejects.toThrow('no parameter “p”');
    await expect(reduce('Nope' as 'MChen', good, {}, { seed: 1, signal })).rejects.toMatchObject({
      code: 'unknown-method',
    });
  });

  it('gives every size from one run, the same as runs of their own', async () => {
    const data = makeSet(90, 4, 3);
    const ps = [40, 5, 100, 40];
    const cases: ['MChen' | 'MRSP1' | 'MRSP2', Record<string, string>][] = [
      ['MChen', {}],
      ['MChen', { exclude: 'ExcludingSamples', merging: 'PolicyI' }],
      ['MRSP1', {}],
      ['MRSP2', {}],
      ['MRSP2', { variant: 'reference' }],
    ];
    for (const [method, parameters] of cases) {
      const path = await reducePath(method, data, ps, { seed: 1, signal, parameters });
      for (const [i, p] of ps.entries())
        expect(path[i]).toEqual(await reduce(method, data, { ...parameters, p }, { seed: 1, signal }));
    }
    await expect(reducePath('MChen', data, [], { seed: 1, signal })).rejects.toMatchObject({
      code: 'bad-parameter',
    });
    await expect(reducePath('MChen', data, [10, 0], { seed: 1, signal })).rejects.toMatchObject({
      code: 'bad-parameter',
    });
  });

  it('keeps rows with rare labels under ExcludingSamples, and rare labels under PolicyII', async () => {
    // Label b is borne once, label a by all others: its ratio 7 exceeds the mean of 4.
    const labels = Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? 1 : i % 2 === 0 && i < 14 ? 1 : 0));
    const data = { ...makeSet(8, 2, 2), labels };
    const kept = await reduce('MRSP3', data, { exclude: 'ExcludingSamples' }, { seed: 1, signal });
    expect(kept.clusters.at(-1)).toEqual([7]);
    const whole = { ...data, features: new Float32Array(16) };
    const merged = await reduce('MChen', whole, { p: 10, merging: 'PolicyII' }, { seed: 1, signal });
    expect([merged.clusters.length, ...merged.labelsets]).toEqual([1, 1, 1]);
    const plain = await reduce('MChen', whole, { p: 10 }, { seed: 1, signal });
    expect(Array.from(plain.labelsets)).toEqual([1, 0]);
  });

  it('RHC and RSP3 take means of one-label data, and refuse any other', async () => {
    const data: LabelledVectors = {
      features: Float64Array.of(0, 1, 5, 10, 11, 15),
      count: 6,
      dim: 1,
      labels: Uint8Array.of(1, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1),
      labelNames: ['a', 'b'],
    };
    for (const method of ['RHC', 'RSP3'] as const) {
      const result = await reduce(method, data, {}, { seed: 1, signal });
      expect([...result.prototypes].sort((a, b) => a - b)).toEqual([2, 12]);
      const both = { ...data, labels: data.labels.map(() => 1) };
      await expect(reduce(method, both, {}, { seed: 1, signal })).rejects.toMatchObject({
        code: 'bad-label',
      });
    }
  });

  const names = reductionMethods.map(({ name }) => name);

  describe.each(names)('%s', (name) => {
    const entry = reductionMethods.find((method) => method.name === name);
    const run = (data: LabelledVectors, parameters = {}): ReturnType<typeof reduce> =>
      reduce(name, data, parameters, { seed: 1, signal });

    it('refuses bad input', async () => {
      const good = setFor(name, 12, 2, 3);
      for (const value of [NaN, Infinity, -Infinity]) {
        const features = good.features.map((x, i) => (i === 5 ? value : x));
        await expect(run({ ...good, features })).rejects.toMatchObject({ code: 'not-finite' });
      }
      const unlabelled = { ...good, labels: new Uint8Array(36) };
      await expect(run(unlabelled)).rejects.toMatchObject({ code: 'no-labels' });
      if (entry?.parameters.some((parameter) => parameter.name === 'p'))
        for (const p of [0, -1, 100.001, NaN, '10'])
          await expect(run(good, { p })).rejects.toMatchObject({ code: 'bad-parameter' });
      for (const choice of entry?.parameters.filter(({ kind }) => kind === 'choice') ?? [])
        await expect(run(good, { [choice.name]: 'nonsense' })).rejects.toMatchObject({
          code: 'bad-parameter',
        });
      await expect(run(good, { nonsense: 1 })).rejects.toMatchObject({ code: 'bad-parameter' });
    });

    it('ends on duplicates, constant features, unused labels and values whose squares overflow', async () => {
      const good = setFor(name, 40, 3, 3);
      // No row bears the last of four labels.
      const labels = new Uint8Array(160);
      for (let row = 0; row < 40; row++) labels.set(good.labels.subarray(row * 3, row * 3 + 3), row * 4);
      const unused = { ...good, labels, labelNames: [...good.labelNames, 'nobody'] };
      const cases = [
        { ...good, features: good.features.map((_, i) => good.features[i % 3] ?? 0) },
        { ...good, features: good.features.map((_, i) => good.features[i % 30] ?? 0) },
        { ...good, features: good.features.map((x, i) => (i % 3 === 1 ? 7 : x)) },
        { ...good, features: Float64Array.from(good.features, (x) => x * 1e200) },
        { ...good, features: Float64Array.from(good.features, (x) => x * 1e-200) },
        unused,
      ];
      for (const data of cases) {
        const { clusters, labelsets } = await run(data);
        expect(clusters.length).toBeGreaterThan(0);
        const width = data.labelNames.length;
        if (width === 4) expect(labelsets.filter((_, i) => i % 4 === 3)).not.toContain(1);
      }
    });

    // Once more where a collection of garbage, of this file's or of another one's before it, came into the way.
    const again = { retry: 2 };
    it(
      'cancels within 100 ms at any moment, never blocks for long, and progress only rises',
      again,
      async () => {
        const data = setFor(name, 12_000, 96, 12);
        for (const moment of [5, 80, 400]) {
          const abort = new AbortController();
          const seen: number[] = [];
          let longest = 0;
          // Processor time as well as wall time: on a busy machine the process also waits for its turn.
          let mark = now();
          const beat = setInterval(() => {
            longest = Math.max(longest, since(mark));
            mark = now();
          }, 1);
          const running = reduce(
            name,
            data,
            {},
            { seed: 1, signal: abort.signal, onProgress: (f) => seen.push(f) },
          );
          const settled = running.then(
            () => 'done',
            (error: unknown) => error,
          );
          const cancelled: Moment[] = [];
          const timer = setTimeout(() => {
            cancelled.push(now());
            abort.abort(new Error('stop'));
          }, moment);
          const outcome = await settled;
          clearTimeout(timer);
          clearInterval(beat);
          if (outcome !== 'done') {
            expect(outcome).toMatchObject({ message: 'stop' });
            for (const abortedAt of cancelled) expect(since(abortedAt)).toBeLessThan(100);
          }
          expect(seen.every((value, i) => value <= 1 && (i === 0 || value > (seen[i - 1] ?? 0)))).toBe(true);
          // 50 ms is the rule; the margin is for garbage collection and compilation, which count as processor time.
          expect(longest).toBeLessThan(100);
          if (outcome === 'done') break;
        }
      },
    );
  });

  it('reports progress that rises to 1', async () => {
    const seen: number[] = [];
    await reduce(
      'MChen',
      makeSet(800, 64, 4),
      { p: 30 },
      { seed: 1, signal, onProgress: (f) => seen.push(f) },
    );
    expect(seen.at(-1)).toBe(1);
    expect(seen.every((value, i) => i === 0 || value > (seen[i - 1] ?? 0))).toBe(true);
  });
});
