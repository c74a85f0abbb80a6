import type { KeepRule } from '../../../models/pecmae/kept.ts';
import { describe, expect, it } from 'vitest';
import { PrototypeError } from '../../../models/pecmae/errors.ts';
import { gatherRows, kMeans } from '../../../models/numerics/kmeans.ts';
import { Pacer } from '../../../models/numerics/pacer.ts';
import {
  defaultTrainParameters,
  trainPrototypeNetwork,
  type TrainingSet,
  type TrainParameters,
} from '../../../models/pecmae/trainer.ts';
import { Random } from '../../../models/numerics/random.ts';
import { CLASSES, DIM, mixture, type Tracks } from '../../support/mixture.ts';

const never = new AbortController().signal;
const parameters: TrainParameters = {
  ...defaultTrainParameters,
  prototypesPerClass: 2,
  steps: 120,
  batchSize: 32,
};

async function failure(promise: Promise<unknown>): Promise<PrototypeError> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(PrototypeError);
  return error as PrototypeError;
}

describe('trainPrototypeNetwork', () => {
  it('learns classes of several modes, and scores tracks it has not seen', async () => {
    const { network, curve } = await trainPrototypeNetwork(mixture(1, 40), mixture(2, 10), parameters, {
      signal: never,
    });
    const test = mixture(3, 20);
    const right = test.truth.filter((c, track) => {
      const windows = test.features.subarray(track * 2 * DIM, (track + 1) * 2 * DIM);
      return network.classify(windows, 2).prediction === c;
    });
    expect(right.length / test.truth.length).toBeGreaterThan(0.97);
    expect(curve.at(-1)?.step).toBe(parameters.steps);
    expect(curve.at(-1)?.loss).toBeLessThan(curve[0]?.loss ?? 0);
    expect(curve.filter((point) => point.validation).length).toBe(20);
    expect(curve.at(-1)?.validation?.accuracy).toBeGreaterThan(0.95);
  });

  it('places the prototypes of a class among the windows of that class', async () => {
    const train = mixture(1, 40);
    const { network } = await trainPrototypeNetwork(
      train,
      null,
      { ...parameters, steps: 1 },
      { signal: never },
    );
    for (let k = 0; k < network.prototypeCount; k++) {
      expect(network.classOf(k)).toBe(Math.floor(k / 2));
      expect(network.classify(network.prototypeVector(k), 1).prediction).toBe(network.classOf(k));
    }
  });

  it.each(['none', 'transformer'] as const)(
    'gives the same bytes for the same seed (adaptor %s)',
    async (adaptor) => {
      const run = async (seed: number): Promise<Buffer> => {
        const p = { ...parameters, adaptor, seed, steps: 15 };
        const { network } = await trainPrototypeNetwork(mixture(1, 15), mixture(2, 5), p, { signal: never });
        return Buffer.from(network.toBytes());
      };
      const first = await run(5);
      expect(first.equals(await run(5))).toBe(true);
      expect(first.equals(await run(6))).toBe(false);
    },
  );

  it.each([
    { steps: 1, learningRate: 1e-9, initialisation: 'medoid' } as const,
    { projection: 'nearest' } as const,
  ])('puts prototypes onto real windows of their class: %o', async (choice) => {
    const train = mixture(1, 20);
    const p = { ...parameters, ...choice };
    const { network } = await trainPrototypeNetwork(train, null, p, { signal: never });
    const used = Array.from({ length: network.prototypeCount }, (_, k) => {
      const vector = network.prototypeVector(k);
      const rows = Array.from({ length: train.count }, (_row, row) => row).filter((row) =>
        vector.every((v, d) => Math.abs(v - (train.features[row * DIM + d] ?? NaN)) < 1e-4),
      );
      expect(rows).toHaveLength(1);
      const row = rows[0] ?? -1;
      expect(train.labels[row * CLASSES.length + network.classOf(k)]).toBe(1);
      return row;
    });
    expect(new Set(used).size).toBe(network.prototypeCount);
  });

  it('trains with the adaptor', async () => {
    const p = { ...parameters, adaptor: 'transformer', learningRate: 3e-3, steps: 200 } as const;
    const { curve } = await trainPrototypeNetwork(mixture(1, 30), mixture(2, 10), p, { signal: never });
    expect(curve.at(-1)?.loss).toBeLessThan(0.7 * (curve[0]?.loss ?? 0));
    expect(curve.at(-1)?.validation?.accuracy).toBeGreaterThan(0.9);
  });

  it('learns labels that occur together', async () => {
    const withPair = (seed: number): Tracks => {
      const set = mixture(seed, 40);
      // "flute" windows are "bass" too.
      for (let row = 0; row < set.count; row++) if (set.labels[row * 3 + 2] === 1) set.labels[row * 3] = 1;
      return set;
    };
    const p = { ...parameters, task: 'multi', steps: 400 } as const;
    const { network, curve } = await trainPrototypeNetwork(withPair(1), withPair(2), p, { signal: never });
    expect(curve.at(-1)?.validation?.accuracy).toBeGreaterThan(0.97);
    expect(curve.at(-1)?.validation?.balancedAccuracy).toBeGreaterThan(0.95);
    const flute = network.classify(mixture(3, 1).features.subarray(4 * DIM), 2);
    expect([...flute.probabilities].map((p) => p > 0.5)).toEqual([true, false, true]);
  });

  it('keeps the network that does best on validation tracks, or by another rule on request', async () => {
    const train = mixture(1, 4, 6);
    const validation = mixture(2, 30, 6);
    const p = { ...parameters, steps: 300, learningRate: 0.1 };
    const of = (keep?: KeepRule): ReturnType<typeof trainPrototypeNetwork> =>
      trainPrototypeNetwork(train, validation, p, { signal: never, ...(keep && { keep }) });
    const [best, lowest, last] = [await of(), await of('loss'), await of('last')];
    const validated = best.curve.flatMap(({ step, validation: v }) => (v ? [{ step, ...v }] : []));
    const highest = Math.max(...validated.map(({ accuracy }) => accuracy));
    const equals = validated.filter(({ accuracy }) => accuracy === highest);
    const loss = Math.min(...equals.map((v) => v.loss));
    expect(best.keptStep).toBe(equals.find((v) => v.loss === loss)?.step);
    const least = Math.min(...validated.map((v) => v.loss));
    expect(lowest.keptStep).toBe(validated.find((v) => v.loss === least)?.step);
    expect(lowest.keptStep).toBeLessThan(300);
    expect(last.keptStep).toBe(300);
    const bytes = [best, lowest, last].map(({ network }) => Buffer.from(network.toBytes()).toString('hex'));
    expect(bytes[1]).not.toBe(bytes[2]);
    const again = await of();
    expect(Buffer.from(again.network.toBytes()).toString('hex')).toBe(bytes[0]);
  });

  it('manages a class with fewer windows than prototypes', async () => {
    const set = mixture(1, 2);
    const one = {
      ...set,
      features: set.features.slice(0, 5 * DIM),
      labels: set.labels.slice(0, 15),
      count: 5,
    };
    const p = { ...parameters, prototypesPerClass: 4, steps: 20 };
    const { network } = await trainPrototypeNetwork(one, null, p, { signal: never });
    const vectors = [8, 9, 10, 11].map((k) => network.prototypeVector(k).join());
    expect(new Set(vectors).size).toBe(4);
  });

  it('stops within a step when aborted, and lets timers run meanwhile', async () => {
    const abort = new AbortController();
    const reason = new Error('enough');
    let last = 0;
    setTimeout(() => abort.abort(reason), 50);
    const run = trainPrototypeNetwork(
      mixture(1, 40),
      null,
      { ...parameters, steps: 100_000 },
      {
        signal: abort.signal,
        onProgress: (progress) => (last = progress.step),
      },
    );
    const start = performance.now();
    await expect(run).rejects.toBe(reason);
    expect(performance.now() - start).toBeLessThan(5000);
    expect(last).toBeLessThan(100_000);
    await expect(
      trainPrototypeNetwork(mixture(1, 4), null, parameters, { signal: abort.signal }),
    ).rejects.toBe(reason);
  });

  it('names what is wrong with the data', async () => {
    const train = (set: TrainingSet, validation: Tracks | null = null): Promise<PrototypeError> =>
      failure(trainPrototypeNetwork(set, validation, parameters, { signal: never }));
    const set = mixture(1, 4);
    const withValue = (value: number): Float32Array =>
      set.features.map((v, i) => (i === 7 * DIM + 3 ? value : v));
    for (const value of [NaN, Infinity]) {
      const error = await train({ ...set, features: withValue(value) });
      expect([error.code, error.message]).toEqual(['not-finite', expect.stringContaining('embedding 7 ')]);
      expect((await train(set, { ...set, features: withValue(value) })).message).toMatch(
        /validation embedding 7 /,
      );
    }
    const unlabelled = await train({ ...set, labels: set.labels.map((v, i) => (i < 3 ? 0 : v)) });
    expect([unlabelled.code, unlabelled.message]).toEqual(['labels', expect.stringContaining('window 0')]);
    const four = { ...set, labelNames: [...CLASSES, 'harp'], labels: new Uint8Array(set.count * 4) };
    for (let row = 0; row < set.count; row++) four.labels[row * 4] = 1;
    const empty = await train(four);
    expect([empty.code, empty.message]).toEqual(['empty-class', expect.stringContaining('drum')]);
    expect((await train({ ...set, count: set.count + 1 })).code).toBe('shape');
    expect((await train(set, { ...set, labelNames: ['a', 'b', 'c'] })).code).toBe('shape');
    expect((await train({ ...set, features: set.features.fill(2) })).code).toBe('shape');
  });

  it.each([
    { steps: 0 },
    { prototypesPerClass: 1.5 },
    { learningRate: NaN },
    { lambda: 1.1 },
    { temperature: 0 },
    { weightDecay: -1 },
    { batchSize: 0 },
    { seed: 0.5 },
  ])('refuses %o', async (change) => {
    const run = trainPrototypeNetwork(mixture(1, 4), null, { ...parameters, ...change }, { signal: never });
    const error = await failure(run);
    expect(error.code).toBe('parameters');
    expect(error.message).toContain(Object.keys(change)[0]);
  });
});

describe('kMeans', () => {
  const pacer = new Pacer(never);

  it('finds well separated groups', async () => {
    const random = new Random(2);
    const points = Float64Array.from({ length: 300 }, (_, i) => (i % 3) * 10 + random.normal() * 0.1);
    const { centres, clusters } = await kMeans(points, 1, 3, random, pacer, { surplus: 'jitter' });
    const sorted = [...centres].sort((a, b) => a - b);
    sorted.forEach((value, i) => expect(Math.abs(value - 10 * i)).toBeLessThan(0.05));
    expect(clusters[4]).toBe(clusters[1]);
    expect(new Set(clusters).size).toBe(3);
  });

  it('uses the rows it was given only', async () => {
    const own = gatherRows(Float32Array.of(1, 100, 3), 1, [0, 2]);
    const { centres } = await kMeans(own, 1, 1, new Random(1), pacer, { surplus: 'jitter' });
    expect([...centres]).toEqual([2]);
  });

  it('makes centres beyond the distinct rows near copies or repeats, as asked', async () => {
    const same = Float64Array.of(5, 5, 5);
    const near = await kMeans(same, 1, 2, new Random(1), pacer, { surplus: 'jitter' });
    expect(near.centres[0]).toBe(5);
    expect(near.centres[1]).not.toBe(5);
    expect(near.centres[1]).toBeCloseTo(5, 0);
    const repeated = await kMeans(same, 1, 2, new Random(1), pacer, { surplus: 'repeat' });
    expect([...repeated.centres]).toEqual([5, 5]);
    expect([...repeated.clusters]).toEqual([0, 0, 0]);
  });
});
