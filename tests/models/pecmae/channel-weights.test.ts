import { describe, expect, it } from 'vitest';
import { Random } from '../../../models/numerics/random.ts';
import { InferenceSession, Tensor } from '../../../models/onnx/runtime.ts';
import { channelScoresOf, channelWeightsOf } from '../../../models/pecmae/channel-weights.ts';
import { networkGraph } from '../../../models/pecmae/classifier-graph.ts';
import { columnsOf, sameColumn } from '../../../models/pecmae/columns.ts';
import { applyEdit } from '../../../models/pecmae/edits.ts';
import { PrototypeNetwork, type PrototypeNetworkData } from '../../../models/pecmae/network.ts';
import { retrainPrototypeNetwork } from '../../../models/pecmae/retrain.ts';
import { defaultTrainParameters, trainPrototypeNetwork } from '../../../models/pecmae/trainer.ts';
import type { GraphSpec } from '../../../models/pecmae/training-graph.ts';
import { TrainingSession } from '../../../models/pecmae/training-session.ts';
import { CLASSES, DIM, mixture, type Tracks } from '../../support/mixture.ts';

const signal = new AbortController().signal;
const parameters = { ...defaultTrainParameters, prototypesPerClass: 2, steps: 60, batchSize: 32 };
const weighted = { ...parameters, channelWeights: 'learned', prototypeLoss: 'two-sided' } as const;

const spec: GraphSpec = {
  ...{ dim: 5, classes: 2, prototypeClasses: [0, 0, 1, 1], task: 'single', lambda: 0.4, temperature: 0.5 },
  ...{ weightDecay: 0, adaptor: 'none', dropout: false, similarity: 'l2', prototypeLoss: 'two-sided' },
  ...{ coverage: 0.3, channelWeights: true },
};

function problem(seed: number) {
  const random = new Random(seed);
  const n = 9;
  const y = new Float32Array(n * spec.classes);
  for (let row = 0; row < n; row++) y[row * spec.classes + (row % 2)] = 1;
  const k = spec.prototypeClasses.length;
  return {
    data: { x: random.normals(n * spec.dim), y },
    initial: {
      protos: random.normals(k * spec.dim),
      channels: random.normals(k * spec.dim),
      'linear.weight': random.normals(spec.classes * k),
      'linear.bias': random.normals(spec.classes),
    },
    rows: Int32Array.from({ length: n }, (_, row) => row),
  };
}

const open = (
  { data, initial }: Pick<ReturnType<typeof problem>, 'data' | 'initial'>,
  of: GraphSpec = spec,
) => TrainingSession.open(of, initial, { data, schedule: { steps: 1, learningRate: 1e-3 }, gradients: true });

describe('the two-sided prototype loss', () => {
  it('is what is worked out by hand for two prototypes', async () => {
    // Windows at 0, 1 and 5, prototypes at 0 and 4: the prototypes are 0 and 1 away from a window, the windows 0, 1 and 1.
    const case2 = (coverage: number): GraphSpec => ({
      ...{ ...spec, dim: 1, classes: 1, prototypeClasses: [0, 0], channelWeights: false, coverage },
    });
    for (const [coverage, expected] of [
      [0, 1 / 2],
      [1, 2 / 3],
      [0.25, 0.75 / 2 + 0.5 / 3],
    ] as const) {
      const session = await open(
        {
          data: { x: Float32Array.of(0, 1, 5), y: Float32Array.of(1, 1, 1) },
          initial: {
            ...{ protos: Float32Array.of(0, 4), channels: new Float32Array() },
            ...{ 'linear.weight': Float32Array.of(1, 1), 'linear.bias': Float32Array.of(0) },
          },
        },
        case2(coverage),
      );
      expect((await session.evaluate()).prototypeLoss).toBeCloseTo(expected, 6);
      // By p: 2·(p − x) of each nearest pair; the second is drawn to 5 from both sides, the first to 1 by that window.
      const { gradients } = await session.step(Int32Array.of(0, 1, 2), null);
      const share = 1 - spec.lambda;
      const classPart = await onlyClassLoss(case2(coverage));
      const by = (k: number) => (gradients['protos']?.[k] ?? NaN) - (classPart[k] ?? NaN);
      expect(by(0)).toBeCloseTo(share * coverage * (-2 / 3), 5);
      expect(by(1)).toBeCloseTo(share * ((1 - coverage) * (-2 / 2) + coverage * (-2 / 3)), 5);
      await session.close();
    }

    async function onlyClassLoss(of: GraphSpec): Promise<Float32Array> {
      const session = await open(
        {
          data: { x: Float32Array.of(0, 1, 5), y: Float32Array.of(1, 1, 1) },
          initial: {
            ...{ protos: Float32Array.of(0, 4), channels: new Float32Array() },
            ...{ 'linear.weight': Float32Array.of(1, 1), 'linear.bias': Float32Array.of(0) },
          },
        },
        // The whole loss with λ = 1 is the classification loss.
        { ...of, lambda: 1 },
      );
      const { gradients } = await session.step(Int32Array.of(0, 1, 2), null);
      await session.close();
      return (gradients['protos'] ?? new Float32Array()).map((value) => value * spec.lambda);
    }
  });

  it.each(['two-sided', 'class'] as const)('of kind %s has the gradients of differences', async (kind) => {
    const own = { ...spec, prototypeLoss: kind };
    const given = problem(3);
    const session = await open(given, own);
    const { gradients } = await session.step(given.rows, null);
    await session.close();
    const lossAt = async (name: 'protos' | 'channels', place: number, step: number): Promise<number> => {
      const moved = given.initial[name].slice();
      moved[place] = (moved[place] ?? 0) + step;
      const other = await open({ ...given, initial: { ...given.initial, [name]: moved } }, own);
      const { loss } = await other.evaluate();
      await other.close();
      return loss;
    };
    const STEP = 4e-3;
    for (const name of ['protos', 'channels'] as const)
      for (const place of [0, 6, 13, 19]) {
        const slope = ((await lossAt(name, place, STEP)) - (await lossAt(name, place, -STEP))) / (2 * STEP);
        expect(gradients[name]?.[place], `${name} ${String(place)}`).toBeCloseTo(slope, 3);
      }
  });
});

describe('weights of channels', () => {
  const random = new Random(8);
  const data: PrototypeNetworkData = {
    ...{ classes: ['low', 'high'], embeddingDim: 6, prototypesPerClass: 2, task: 'single', temperature: 0.5 },
    normalisation: { mean: 0.3, scale: 1.7 },
    prototypes: random.normals(24),
    weights: random.normals(8),
    bias: random.normals(2),
    channelWeights: channelWeightsOf(random.normals(24), 6),
  };
  const network = new PrototypeNetwork(data);
  const z = random.normals(5 * 6);

  it('are 1 in the mean, and come back from their scores', () => {
    const weights = data.channelWeights ?? new Float32Array();
    for (let row = 0; row < 24; row += 6)
      expect(weights.subarray(row, row + 6).reduce((a, b) => a + b, 0)).toBeCloseTo(6, 5);
    channelWeightsOf(channelScoresOf(weights), 6).forEach((w, i) =>
      expect(w).toBeCloseTo(weights[i] ?? NaN, 5),
    );
  });

  it('count in the similarity as the definition says, and change nothing where all are 1', () => {
    const all = network.similarities(z, 5);
    const { prototypes, channelWeights } = network.data;
    for (let i = 0; i < 5; i++)
      for (let k = 0; k < 4; k++) {
        let sum = 0;
        for (let e = 0; e < 6; e++) {
          const x = ((z[i * 6 + e] ?? 0) - 0.3) / 1.7;
          sum += (channelWeights?.[k * 6 + e] ?? 0) * (x - (prototypes[k * 6 + e] ?? 0)) ** 2;
        }
        expect(all[i * 4 + k]).toBeCloseTo(Math.exp(-sum / 6), 6);
      }
    const plain = new PrototypeNetwork({ ...data, channelWeights: null });
    const ones = new PrototypeNetwork({ ...data, channelWeights: new Float32Array(24).fill(1) });
    expect([...ones.logits(z, 5)]).toEqual([...plain.logits(z, 5)]);
  });

  it('are the same in the ONNX graph and in the file, which who knows none of them does not read', async () => {
    const session = await InferenceSession.create(networkGraph(network.data));
    const output = await session.run({ features: new Tensor('float32', z, [5, 6]) });
    const logits = output['logits']?.data;
    network.logits(z, 5).forEach((logit, i) => expect(Number(logits?.[i])).toBeCloseTo(logit, 5));
    await session.release();
    const bytes = network.toBytes();
    expect(PrototypeNetwork.fromBytes(bytes).data).toEqual(network.data);
    const text = Buffer.from(bytes).toString('latin1');
    expect(text).toContain('"version":"2"');
    const plain = Buffer.from(new PrototypeNetwork({ ...data, channelWeights: null }).toBytes());
    expect(plain.toString('latin1')).toContain('"version":"1"');
    expect(plain.toString('latin1')).not.toContain('channel');
  });

  it.each([
    ['too few', new Float32Array(23)],
    ['below 0', new Float32Array(24).fill(-1)],
    ['no numbers', new Float32Array(24).fill(NaN)],
  ])('are refused: %s', (_, channelWeights) => {
    expect(() => new PrototypeNetwork({ ...data, channelWeights })).toThrow(/channel|finite/);
  });

  it('go with a prototype that is moved or split, and are the mean where it is merged or added', () => {
    const rows = (of: PrototypeNetwork) => columnsOf(of).map(({ channels }) => [...(channels ?? [])]);
    const before = rows(network);
    const vector = random.normals(6);
    expect(rows(applyEdit(network, { kind: 'move', index: 1, vector }))).toEqual(before);
    expect(rows(applyEdit(network, { kind: 'split', index: 1, vectors: [vector, vector] }))[4]).toEqual(
      before[1],
    );
    const mean = before[0]?.map((w, e) => Math.fround((w + (before[1]?.[e] ?? NaN)) / 2));
    expect(rows(applyEdit(network, { kind: 'merge', indices: [0, 1] }))[0]).toEqual(mean);
    expect(rows(applyEdit(network, { kind: 'add', classIndex: 0, vector }))[4]).toEqual(mean);
    const plain = new PrototypeNetwork({ ...data, channelWeights: null });
    expect(applyEdit(plain, { kind: 'add', classIndex: 0, vector }).data.channelWeights).toBeNull();
  });

  it('are learned: numbers that tell classes apart come to count for more than noise', async () => {
    const noisy = (seed: number): Tracks => {
      const set = mixture(seed, 40);
      const noise = new Random(seed + 100);
      // Only the first four numbers say anything.
      set.features.forEach((_, i) => {
        if (i % DIM >= 4) set.features[i] = 5 + 6 * noise.normal();
      });
      return set;
    };
    const { network: learned, curve } = await trainPrototypeNetwork(
      noisy(1),
      noisy(2),
      { ...weighted, steps: 300 },
      { signal },
    );
    const { channelWeights } = learned.data;
    const mean = (from: number, to: number) =>
      [...(channelWeights ?? [])].reduce(
        (sum, w, i) => (i % DIM >= from && i % DIM < to ? sum + w : sum),
        0,
      ) /
      ((to - from) * 2 * CLASSES.length);
    expect(mean(0, 4)).toBeGreaterThan(2 * mean(4, DIM));
    expect(curve.at(-1)?.validation?.accuracy).toBeGreaterThan(0.9);
  });

  it('are the same by the same seed, stay to the bit where frozen, and go on learning elsewhere', async () => {
    const train = mixture(1, 15);
    const once = async () => (await trainPrototypeNetwork(train, null, weighted, { signal })).network;
    const first = await once();
    expect(Buffer.from((await once()).toBytes()).equals(Buffer.from(first.toBytes()))).toBe(true);
    const start = applyEdit(first, { kind: 'freeze', indices: [2], frozen: true });
    const { network: again } = await retrainPrototypeNetwork(start, train, null, weighted, { signal });
    const after = columnsOf(again);
    const same = columnsOf(start).map((column, k) => {
      const now = after[k];
      return now !== undefined && sameColumn(column, now);
    });
    expect(same).toEqual([false, false, true, false, false, false]);
    expect(after[0]?.channels).not.toEqual(columnsOf(start)[0]?.channels);
    // Retrained without the option, a network that has weights keeps having them.
    const { network: plain } = await retrainPrototypeNetwork(start, train, null, parameters, { signal });
    expect(plain.data.channelWeights).not.toBeNull();
  });

  it('put prototypes onto the windows that are nearest by them', async () => {
    const train = mixture(1, 10);
    const { network: onto } = await trainPrototypeNetwork(
      train,
      null,
      { ...weighted, projection: 'nearest' },
      { signal },
    );
    for (let k = 0; k < onto.prototypeCount; k++) {
      const vector = onto.prototypeVector(k);
      const rows = Array.from({ length: train.count }, (_, row) => row).filter((row) =>
        vector.every((v, e) => Math.abs(v - (train.features[row * DIM + e] ?? NaN)) < 1e-4),
      );
      expect(rows).toHaveLength(1);
    }
  });
});
