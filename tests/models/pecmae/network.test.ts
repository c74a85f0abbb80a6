import { describe, expect, it } from 'vitest';
import { applyEdit } from '../../../models/pecmae/edits.ts';
import { PrototypeNetwork, type PrototypeNetworkData } from '../../../models/pecmae/network.ts';
import { TrainingSession } from '../../../models/pecmae/training-session.ts';
import { normalise } from '../../../models/pecmae/normalisation.ts';
import { Random } from '../../../models/numerics/random.ts';
import { writeSafetensors } from '../../../models/tensors/index.ts';

const data: PrototypeNetworkData = {
  classes: ['low', 'high'],
  embeddingDim: 2,
  prototypesPerClass: 2,
  task: 'single',
  normalisation: { mean: 1, scale: 2 },
  prototypes: Float32Array.of(0, 0, 1, 0, 0, 1, 1, 1),
  weights: Float32Array.of(1, 0.5, 0, -0.25, 0, 0, 2, 1),
  bias: Float32Array.of(0.25, -0.5),
  temperature: 0.5,
};

function add(network: PrototypeNetwork, classIndex: number, vector: Float32Array): PrototypeNetwork {
  return applyEdit(network, { kind: 'add', classIndex, vector });
}

describe('PrototypeNetwork', () => {
  const network = new PrototypeNetwork(data);

  it('computes what is worked out by hand', () => {
    // (1, 3) is (0, 1) after normalisation; mean squared distances to the prototypes: ½, 1, 0, ½.
    const z = Float32Array.of(1, 3);
    const [half, one] = [Math.exp(-0.5), Math.exp(-1)];
    [half, one, 1, half].forEach((s, k) => expect(network.similarities(z, 1)[k]).toBeCloseTo(s, 6));
    const low = 0.25 + half + 0.5 * one - 0.25 * half;
    const high = -0.5 + 2 + half;
    const { logits, probabilities, prediction } = network.classify(z, 1);
    expect(logits[0]).toBeCloseTo(low, 6);
    expect(logits[1]).toBeCloseTo(high, 6);
    expect(probabilities[1]).toBeCloseTo(1 / (1 + Math.exp((low - high) / 0.5)), 6);
    expect(prediction).toBe(1);
    expect([...network.prototypeVector(2)]).toEqual([1, 3]);
    expect([0, 1, 2, 3].map((k) => network.classOf(k))).toEqual([0, 0, 1, 1]);
  });

  it('uses sigmoids for a multilabel task and stays finite for huge logits', () => {
    const multi = new PrototypeNetwork({ ...data, task: 'multi' });
    expect(multi.probabilities(Float32Array.of(0, 1))[1]).toBeCloseTo(1 / (1 + Math.exp(-2)), 6);
    expect([...network.probabilities(Float32Array.of(1e6, -1e6))]).toEqual([1, 0]);
    expect([...multi.probabilities(Float32Array.of(1e6, -1e6))]).toEqual([1, 0]);
  });

  it('agrees with the training graph', async () => {
    const random = new Random(1);
    const [n, dim, classes, k] = [40, 24, 3, 6];
    const z = random.normals(n * dim).map((v) => 4 * v + 9);
    const normalisation = { mean: 9, scale: 8 };
    const parts = {
      protos: random.normals(k * dim),
      weights: random.normals(classes * k),
      bias: random.normals(classes),
    };
    const spec = {
      dim,
      classes,
      prototypeClasses: [0, 0, 1, 1, 2, 2],
      task: 'single',
      lambda: 0.25,
      temperature: 0.1,
      weightDecay: 0,
      adaptor: 'none',
      dropout: false,
      similarity: 'l2',
      prototypeLoss: 'class',
    } as const;
    const session = await TrainingSession.open(
      spec,
      { protos: parts.protos, 'linear.weight': parts.weights, 'linear.bias': parts.bias },
      {
        data: { x: normalise(z, normalisation), y: new Float32Array(n * classes) },
        schedule: { steps: 1, learningRate: 1e-3 },
      },
    );
    const expected = (await session.evaluate()).logits;
    await session.close();
    const oracle = new PrototypeNetwork({
      ...data,
      classes: ['a', 'b', 'c'],
      embeddingDim: dim,
      normalisation,
      prototypes: parts.protos,
      weights: parts.weights,
      bias: parts.bias,
    });
    oracle
      .logits(z, n)
      .forEach((logit, i) => expect(Math.abs(logit - (expected[i] ?? NaN))).toBeLessThan(2e-6));
  });

  it('drops a prototype and gives its weight to its siblings', () => {
    const edited = applyEdit(network, { kind: 'remove', index: 2 });
    expect([...edited.data.prototypes]).toEqual([0, 0, 1, 0, 1, 1]);
    expect([...edited.data.weights]).toEqual([1, 0.5, -0.25, 0, 0, 3]);
    expect([0, 1, 2].map((k) => edited.classOf(k))).toEqual([0, 0, 1]);
    expect(() => applyEdit(edited, { kind: 'remove', index: 2 })).toThrow(/high has only this prototype/);
    expect(() => applyEdit(network, { kind: 'remove', index: 4 })).toThrow(RangeError);
    expect(network.prototypeCount).toBe(4);
  });

  it('adds a prototype at an equal share of the class weight', () => {
    const edited = add(network, 1, Float32Array.of(5, -1));
    expect([...edited.data.prototypes.subarray(8)]).toEqual([2, -1]);
    expect([...edited.data.weights]).toEqual([1, 0.5, 0, -0.25, 0, 0, 0, 1.5, 0.5, 1]);
    expect(edited.classOf(4)).toBe(1);
    expect(() => add(network, 0, Float32Array.of(1))).toThrow(/1 numbers/);
    expect(() => add(network, 0, Float32Array.of(1, NaN))).toThrow(/not finite/);
    expect(() => add(network, 2, Float32Array.of(1, 1))).toThrow(RangeError);
  });

  it.each<[string, Partial<PrototypeNetworkData>]>([
    ['weights of another size', { weights: new Float32Array(7) }],
    ['a bias too many', { bias: new Float32Array(3) }],
    ['a broken row', { prototypes: new Float32Array(7) }],
    ['no classes', { classes: [] }],
    ['one name twice', { classes: ['x', 'x'] }],
    ['a prototype without a class', { prototypeClasses: Int32Array.of(0, 0, 1, 2) }],
    ['no temperature', { temperature: 0 }],
    ['NaN', { bias: Float32Array.of(0, NaN) }],
  ])('refuses %s', (_, change) => {
    expect(() => new PrototypeNetwork({ ...data, ...change })).toThrow();
  });

  it('refuses embeddings of another size', () => {
    expect(() => network.logits(new Float32Array(3), 1)).toThrow(/3 numbers are not 1 embeddings of 2/);
    expect(() => network.classify(new Float32Array(0), 0)).toThrow();
  });

  it('refuses files that are not networks', () => {
    const bytes = network.toBytes();
    const metadata = {
      format: 'archetone.prototype-network',
      version: '1',
      description: '{"classes":["a"]}',
    };
    const files: [Uint8Array, RegExp][] = [
      [Uint8Array.of(1, 2, 3), /not a safetensors file/],
      [bytes.subarray(0, bytes.length - 1), /lies at/],
      [writeSafetensors({}), /another kind/],
      [writeSafetensors({}, { ...metadata, version: '3' }), /version 3/],
      [writeSafetensors({}, metadata), /description is malformed/],
      [writeSafetensors({}, { ...metadata, description: 'x' }), /description is malformed/],
    ];
    for (const [file, message] of files) expect(() => PrototypeNetwork.fromBytes(file)).toThrow(message);
  });
});
