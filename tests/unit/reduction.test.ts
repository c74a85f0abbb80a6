import { describe, expect, it } from 'vitest';
import { Random } from '../../models/random.ts';
import {
  ReductionError,
  reduce,
  reductionMethods,
  type MultilabelSet,
} from '../../models/reduction/index.ts';
import { targetSize } from '../../models/reduction/splitPath.ts';

const signal = new AbortController().signal;

function makeSet(count: number, dim: number, labelCount: number, seed = 1): MultilabelSet {
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
function setFor(name: string, count: number, dim: number, labelCount: number): MultilabelSet {
  const data = makeSet(count, dim, labelCount);
  if (!reductionMethods.some((method) => method.name === name && method.oneLabel)) return data;
  const labels = new Uint8Array(count * labelCount);
  for (let row = 0; row < count; row++) labels[row * labelCount + (row % labelCount)] = 1;
  return { ...data, labels };
}

describe('reduce', () => {
  it('takes the median and a strict majority: half of two is off', async () => {
    const data: MultilabelSet = {
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
    const cases: [Partial<MultilabelSet>, number, string][] = [
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
      await expect(refused).rejects.toBeInstanceOf(ReductionError);
      await expect(refused).rejects.toMatchObject({ code });
    }
    await expect(reduce('MRSP3', good, { p: 10 }, { seed: 1, signal })).rejects.toThrow('no parameter “p”');
    await expect(reduce('Nope' as 'MChen', good, {}, { seed: 1, signal })).rejects.toMatchObject({
      code: 'unknown-method',
    });
  });

  it.each(reductionMethods.map(({ name }) => name))(
    '%s: cancels within 100 ms and never blocks for long',
    async (name) => {
      const data = setFor(name, 3000, 64, 12);
      const abort = new AbortController();
      let longest = 0;
      // Processor time as well as wall time: on a busy machine the process also waits for its turn.
      let last = performance.now();
      let cpu = process.cpuUsage();
      const beat = setInterval(() => {
        const used = process.cpuUsage(cpu);
        longest = Math.max(longest, Math.min(performance.now() - last, (used.user + used.system) / 1000));
        last = performance.now();
        cpu = process.cpuUsage();
      }, 1);
      const run = reduce(name, data, {}, { seed: 1, signal: abort.signal });
      const settled = run.then(
        () => 'done',
        (error: unknown) => error,
      );
      let cancelled = Infinity;
      setTimeout(() => {
        cancelled = performance.now();
        abort.abort(new Error('stop'));
      }, 60);
      const outcome = await settled;
      clearInterval(beat);
      if (outcome !== 'done') {
        expect(outcome).toMatchObject({ message: 'stop' });
        expect(performance.now() - cancelled).toBeLessThan(100);
      }
      // 50 ms is the rule; the margin is for garbage collection and compilation, which count as processor time.
      expect(longest).toBeLessThan(100);
    },
  );

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
