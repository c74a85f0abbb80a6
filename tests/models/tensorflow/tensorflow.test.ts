import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Random } from '../../../models/numerics/random.ts';
import { InferenceSession, Tensor } from '../../../models/onnx/runtime.ts';
import {
  readFrozenGraph,
  readTfjs,
  tensorflowToOnnx,
  type TfGraph,
  type TfRequest,
} from '../../../models/tensorflow/index.ts';
import { recordParity } from '../../golden/parity-table.ts';
import { effnet, musicnn, vggish } from '../../support/tensorflow-networks.ts';
import {
  contentOf,
  frozenGraph,
  tfjsModel,
  type Node,
  type Tensor as TfTensor,
} from '../../support/tensorflow-writer.ts';

const LIMIT = 1e-4;

async function run(onnx: Uint8Array, input: string, data: Float32Array, shape: readonly number[]) {
  const session = await InferenceSession.create(onnx);
  const outputs = await session.run({ [input]: new Tensor('float32', data, shape) });
  await session.release();
  return (name: string): Float32Array => outputs[name]?.data as Float32Array;
}

function compare(stage: string, found: Float32Array, wanted: ArrayLike<number>, limit = LIMIT): void {
  expect(found.length).toBe(wanted.length);
  const worst = found.reduce((most, value, i) => Math.max(most, Math.abs(value - (wanted[i] ?? NaN))), 0);
  recordParity(`Conversion, ${stage}`, worst, limit);
  expect(worst).toBeLessThan(limit);
}

/** What a graph is written as, and read from. */
const containers: [name: string, read: (nodes: readonly Node[]) => Promise<TfGraph>][] = [
  ['frozen graph', (nodes) => Promise.resolve(readFrozenGraph(frozenGraph(nodes)))],
  [
    'TensorFlow.js',
    (nodes) => {
      const { json, weights } = tfjsModel(nodes);
      return readTfjs(JSON.parse(JSON.stringify(json)), { read: () => Promise.resolve(weights) });
    },
  ],
];

const patch = (shape: readonly number[]) => new Random(2).normals(shape.reduce((a, b) => a * b, 1));

describe.each(containers)('networks of TensorFlow, from a %s', (container, read) => {
  it('MusiCNN', async () => {
    const shape = [1, 187, 96];
    const x = patch(shape);
    const { r, embedding, tags } = musicnn(x, shape);
    const outputs = ['model/dense/BiasAdd', 'model/Sigmoid'];
    const onnx = tensorflowToOnnx(await read(r.nodes), {
      input: 'model/Placeholder',
      inputShape: null,
      outputs,
    });
    const found = await run(onnx, 'model/Placeholder', x, shape);
    compare(`MusiCNN, ${container}: embedding before its ReLU`, found('model/dense/BiasAdd'), embedding.data);
    compare(`MusiCNN, ${container}: tags`, found('model/Sigmoid'), tags.data);
  });

  it('VGGish', async () => {
    const shape = [2, 96, 64];
    const x = patch(shape);
    const { r, embedding } = vggish(x, shape);
    const request = { input: 'model/Placeholder', inputShape: null, outputs: ['model/vggish/embeddings'] };
    const found = await run(tensorflowToOnnx(await read(r.nodes), request), 'model/Placeholder', x, shape);
    compare(`VGGish, ${container}: embedding`, found('model/vggish/embeddings'), embedding.data);
  });
});

describe('frozen graphs', () => {
  it('EffNet, whose layers stand in a function', async () => {
    const shape = [3, 33, 22];
    const x = patch(shape);
    const { r, embedding, tags } = effnet(x, shape);
    const [placeholder, ...body] = r.nodes;
    // Inside of a function an input says which output it is, by name.
    const inside = body.map((node) => ({
      ...node,
      inputs: node.inputs.map((input) => (input === 'mel' ? 'x' : `${input}:output:0`)),
    }));
    const call: Node = {
      name: 'PartitionedCall',
      op: 'PartitionedCall',
      inputs: ['serving_default_melspectrogram', '^nothing'],
      attributes: { f: { func: '__inference_1' } },
    };
    const bytes = frozenGraph(
      [
        {
          ...placeholder,
          name: 'serving_default_melspectrogram',
          op: 'Placeholder',
          inputs: [],
          attributes: {},
        },
        call,
      ],
      [
        {
          name: '__inference_1',
          arguments: ['x'],
          results: { activations: 'head/Sigmoid:y:0', embeddings: 'pool:output:0' },
          nodes: inside,
        },
      ],
    );
    const request = {
      input: 'serving_default_melspectrogram',
      inputShape: [null, 33, 22],
      outputs: ['PartitionedCall:1', 'PartitionedCall:0'],
    };
    const found = await run(tensorflowToOnnx(readFrozenGraph(bytes), request), request.input, x, shape);
    compare('EffNet, frozen graph: embedding', found('PartitionedCall:1'), embedding.data);
    compare('EffNet, frozen graph: tags', found('PartitionedCall:0'), tags.data);
  });

  const x = { name: 'x', op: 'Placeholder', inputs: [], attributes: { shape: { shape: [-1, 4] } } } as const;
  const request: TfRequest = { input: 'x', inputShape: null, outputs: ['y'] };
  const convert = (...nodes: Node[]) =>
    tensorflowToOnnx(readFrozenGraph(frozenGraph([x, ...nodes])), request);
  const node = (
    op: string,
    inputs: readonly string[] = ['x'],
    attributes: Node['attributes'] = {},
  ): Node => ({
    name: 'y',
    ...{ op, inputs, attributes },
  });
  const numbers = (shape: number[], data: number[]): Node => ({
    name: 'w',
    op: 'Const',
    inputs: [],
    attributes: { value: { tensor: { type: 'DT_FLOAT', shape, data } } },
  });

  const constant = (type: 'DT_FLOAT' | 'DT_INT32', shape: number[]): Node => ({
    ...{ name: 'w', op: 'Const', inputs: [] },
    attributes: { value: { tensor: { type, shape, data: [] } } },
  });
  const split = (parts: number): Node => node('Split', ['zero', 'x'], { num_split: { i: parts } });

  it.each<[what: string, work: () => unknown, says: RegExp]>([
    [
      'an operator that is not known',
      () => convert(node('HashTableV2')),
      /the operator HashTableV2 \(y\) is not one/,
    ],
    [
      'an operator by a name of JavaScript',
      () => convert(node('constructor')),
      /the operator constructor \(y\)/,
    ],
    ['a node that needs itself', () => convert(node('Relu', ['y'])), /needs itself/],
    ['a node that is not there', () => convert(node('Relu', ['z'])), /takes z, which it does not have/],
    ['an output that is not there', () => convert({ ...node('Relu'), name: 'other' }), /no output named y/],
    ['an output of a node that has one', () => convert(node('AddV2', ['x', 'x:3'])), /takes output 3 of x/],
    [
      'sizes that do not fit',
      () => convert(numbers([3, 2], [1, 2, 3, 4, 5, 6]), node('MatMul', ['x', 'w'])),
      /differ/,
    ],
    [
      'a tensor of other sizes',
      () => convert(numbers([9, 9], [1]), node('MatMul', ['x', 'w'])),
      /has 4 bytes for \[9, 9\]/,
    ],
    [
      'a tensor beyond all measure',
      () => convert(numbers([2 ** 20, 2 ** 20], []), node('MatMul', ['x', 'w'])),
      /more than/,
    ],
    [
      'integers that a few bytes make half a gigabyte of',
      () => convert(constant('DT_INT32', [2 ** 27]), node('Add', ['x', 'w'])),
      /take more than 536870912 bytes/,
    ],
    [
      'sizes that double with every node',
      () => {
        const doubled = Array.from({ length: 40 }, (_, i): Node => ({
          ...{ name: i === 39 ? 'y' : `d${i}`, op: 'ConcatV2', attributes: {} },
          inputs: [i === 0 ? 'w' : `d${i - 1}`, i === 0 ? 'w' : `d${i - 1}`, 'zero'],
        }));
        return convert(constant('DT_INT32', [4]), { ...constant('DT_INT32', []), name: 'zero' }, ...doubled);
      },
      /sizes without end/,
    ],
    [
      'outputs without end',
      () => convert({ ...constant('DT_INT32', []), name: 'zero' }, split(2 ** 31)),
      /has 2147483648 outputs/,
    ],
    [
      'parts without end, before they are made',
      () => readFrozenGraph(new Uint8Array(2 ** 24).map((_, i) => (i % 2 === 0 ? 0x0a : 0))),
      /more parts than any network/,
    ],
    ['two nodes of one name', () => convert(node('Relu'), node('Elu')), /two nodes named y/],
    [
      'a web page',
      () => readFrozenGraph(new TextEncoder().encode('<!DOCTYPE html><html>')),
      /not a frozen TensorFlow graph/,
    ],
    ['nothing', () => readFrozenGraph(new Uint8Array()), /not a frozen TensorFlow graph/],
  ])('refuses %s', (_what, work, says) => {
    expect(work).toThrow(says);
  });

  it('reads numbers that are listed, one for all where they are alike, and attributes that are zero', async () => {
    const listed = (name: string, tensor: Omit<TfTensor, 'listed'>): Node => ({
      ...{ name, op: 'Const', inputs: [] },
      attributes: { value: { tensor: { ...tensor, listed: true } } },
    });
    const onnx = convert(
      listed('half', { type: 'DT_FLOAT', shape: [4], data: [0.5] }),
      listed('last', { type: 'DT_INT32', shape: [], data: [-1] }),
      { name: 'scaled', op: 'Mul', inputs: ['x', 'half'], attributes: {} },
      { name: 'sum', op: 'Sum', inputs: ['scaled', 'last'], attributes: { keep_dims: { b: true } } },
      { name: 'y', op: 'LeakyRelu', inputs: ['sum'], attributes: { alpha: { f: 0 } } },
    );
    const found = await run(onnx, 'x', Float32Array.of(1, 2, 3, 4, -1, -2, -3, -4), [2, 4]);
    expect(Array.from(found('y'), (value) => value + 0)).toEqual([5, 0]);
  });

  it('refuses functions that call each other without end', () => {
    const call: Node = { name: 'y', op: 'PartitionedCall', inputs: ['x'], attributes: { f: { func: 'f' } } };
    const loop = { name: 'f', arguments: ['x'], results: { y: 'y:output:0' }, nodes: [call] };
    expect(() => readFrozenGraph(frozenGraph([x, call], [loop]))).toThrow(/call each other without end/);
  });

  it('names what cannot be, wherever the file is cut', () => {
    const { r } = vggish(patch([1, 96, 64]), [1, 96, 64]);
    const whole = frozenGraph(r.nodes);
    for (let length = 1; length < whole.length; length += Math.ceil(whole.length / 97)) {
      const work = () =>
        tensorflowToOnnx(readFrozenGraph(whole.subarray(0, length)), {
          input: 'model/Placeholder',
          inputShape: null,
          outputs: ['model/vggish/embeddings'],
        });
      expect(work).toThrow(expect.objectContaining({ name: 'CheckpointError' }) as Error);
    }
  });
});

describe('models of TensorFlow.js', () => {
  const weight: Node = {
    name: 'w',
    op: 'Const',
    inputs: [],
    attributes: { value: { tensor: { type: 'DT_FLOAT', shape: [2], data: [1, 2] } } },
  };
  const y: Node = { name: 'y', op: 'Mul', inputs: ['x', 'w'], attributes: {} };
  const x: Node = { name: 'x', op: 'Placeholder', inputs: [], attributes: { shape: { shape: [-1, 2] } } };
  const { json, weights } = tfjsModel([x, weight, y]);
  const manifest = (changes: object, listed: object = {}) => ({
    ...json,
    weightsManifest: [
      { paths: ['w.bin'], weights: [{ name: 'w', shape: [2], dtype: 'float32', ...listed }], ...changes },
    ],
  });
  const read = (model: unknown, bytes = weights) => readTfjs(model, { read: () => Promise.resolve(bytes) });

  it('undoes quantisation', async () => {
    const quantised = manifest({}, { quantization: { dtype: 'uint8', scale: 0.5, min: -1 } });
    const graph = await read(quantised, Uint8Array.of(0, 200));
    expect([...(graph.get('w')?.attributes.get('value')?.tensor?.data ?? [])]).toEqual([-1, 99]);
    const half = await read(
      manifest({}, { quantization: { dtype: 'float16' } }),
      Uint8Array.of(0, 0x3c, 0, 0xc0),
    );
    expect([...(half.get('w')?.attributes.get('value')?.tensor?.data ?? [])]).toEqual([1, -2]);
  });

  it.each<[what: string, model: unknown, says: RegExp]>([
    [
      'weights elsewhere on the disk',
      manifest({ paths: ['../../etc/passwd'] }),
      /names weights in \.\.\/\.\.\/etc/,
    ],
    ['weights that end early', manifest({}, { shape: [3] }), /the weights end before w/],
    ['weights that nobody lists', manifest({}, { shape: [1] }), /have 8 bytes, the model lists 4/],
    ['a type that is not known', manifest({}, { dtype: 'complex64' }), /of the type complex64/],
    ['a type by a name of JavaScript', manifest({}, { dtype: 'constructor' }), /of the type constructor/],
    ['sizes beyond all measure', manifest({}, { shape: [2 ** 31, 2 ** 31] }), /take more than/],
    ['a layers model', { ...json, format: 'layers-model' }, /layers model of Keras/],
    ['a topology that is none', { ...json, modelTopology: { node: 'x' } }, /is no graph|no node/],
    ['something else', { modelTopology: 3 }, /not the model\.json/],
  ])('refuses %s', async (_what, model, says) => {
    await expect(read(model)).rejects.toThrow(says);
  });

  it('gives what a fused layer was before its activation', async () => {
    const bias = { ...weight, name: 'dense/bias' };
    const kernel: Node = {
      ...weight,
      name: 'dense/kernel',
      attributes: { value: { tensor: { type: 'DT_FLOAT', shape: [2, 2], data: [1, -1, 0, 0] } } },
    };
    const fused: Node = {
      name: 'dense/Relu',
      op: '_FusedMatMul',
      inputs: ['x', 'dense/kernel', 'dense/bias'],
      attributes: { fused_ops: { texts: ['BiasAdd', 'Relu'] } },
    };
    const model = tfjsModel([x, bias, kernel, fused]);
    expect(contentOf({ type: 'DT_INT32', shape: [1], data: [7] })).toEqual(Uint8Array.of(7, 0, 0, 0));
    const graph = await readTfjs(model.json, { read: () => Promise.resolve(model.weights) });
    const outputs = ['dense/BiasAdd', 'dense/Relu'];
    const onnx = tensorflowToOnnx(graph, { input: 'x', inputShape: null, outputs });
    const found = await run(onnx, 'x', Float32Array.of(5, 1), [1, 2]);
    expect([[...found('dense/BiasAdd')], [...found('dense/Relu')]]).toEqual([
      [6, -3],
      [6, 0],
    ]);
  });
});

const basicPitch = join(import.meta.dirname, '../../../node_modules/@spotify/basic-pitch/model');

describe.skipIf(!existsSync(basicPitch))('Basic Pitch, with the weights that Spotify trained', () => {
  it('gives what TensorFlow.js gives', async () => {
    const graph = await readTfjs(JSON.parse(readFileSync(join(basicPitch, 'model.json'), 'utf8')), {
      read: (name) => Promise.resolve(readFileSync(join(basicPitch, name))),
    });
    const outputs = ['Identity', 'Identity_1', 'Identity_2'];
    const onnx = tensorflowToOnnx(graph, { input: 'input_2', inputShape: null, outputs });
    const reference = JSON.parse(
      readFileSync(new URL('../../golden/basic-pitch.json', import.meta.url), 'utf8'),
    ) as Record<string, { sum: number; every: number; values: number[] }>;
    const found = await run(onnx, 'input_2', notes(), [1, 43_844, 1]);
    for (const output of outputs) {
      const { every, values, sum } = reference[output] ?? { every: 1, values: [], sum: NaN };
      const data = found(output);
      const some = values.map((_, i) => data[i * every] ?? NaN);
      compare(`Basic Pitch, TensorFlow.js: ${output}`, Float32Array.from(some), values, 1e-5);
      expect(data.reduce((a, b) => a + b, 0) / data.length).toBeCloseTo(sum / data.length, 5);
    }
  });
});

/** Two seconds of a tune at 22,050 Hz; the reference was computed of the same. */
function notes(): Float32Array {
  return Float32Array.from({ length: 43_844 }, (_, n) => {
    const t = n / 22_050;
    const hz = 220 * 2 ** (([0, 4, 7, 12][Math.floor(2 * t) % 4] ?? 0) / 12);
    return (
      Math.exp(-4 * (t % 0.5)) * (0.4 * Math.sin(2 * Math.PI * hz * t) + 0.1 * Math.sin(4 * Math.PI * hz * t))
    );
  });
}
