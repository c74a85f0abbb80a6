import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { memorySource } from '../../../models/checkpoint/source.ts';
import { GraphBuilder, type Value } from '../../../models/onnx/builder.ts';
import { GraphBuildError } from '../../../models/onnx/errors.ts';
import { encodecEncoderGraph } from '../../../models/onnx/graphs/encodec.ts';
import { decodeModel } from '../../../models/onnx/proto.ts';
import { transposed, Weights } from '../../../models/onnx/weights.ts';

type Build = (g: GraphBuilder, x: Value) => Value;
const ones = (g: GraphBuilder, ...dims: number[]) =>
  g.floats(
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => 1),
    dims,
  );

/** Operators on x [2, 6, 8]; each must have the sizes that ONNX Runtime gives it. */
const cases: [name: string, build: Build][] = [
  ['broadcast', (g, x) => g.add(x, ones(g, 6, 1))],
  ['broadcast to a higher rank', (g, x) => g.mul(ones(g, 5, 1, 1, 8), x)],
  ['matrix product', (g, x) => g.matMul(x, ones(g, 8, 3))],
  ['gemm', (g, x) => g.gemm(g.reshape(x, [-1, 8]), ones(g, 3, 8), { transB: true, c: ones(g, 3) })],
  ['transpose', (g, x) => g.transpose(x, [2, 0, 1])],
  ['gather', (g, x) => g.gather(x, g.integers([0, 3, 3]), 1)],
  ['reshape with a copied and an open size', (g, x) => g.reshape(x, [0, -1, 4])],
  ['unsqueeze', (g, x) => g.unsqueeze(x, [0, -1])],
  ['squeeze', (g, x) => g.squeeze(g.slice(x, 2, 3, 1), [1])],
  ['sum', (g, x) => g.reduceSum(x, [-1, 0], false)],
  ['mean', (g, x) => g.reduceMean(x, [1], true)],
  ['argmin', (g, x) => g.cast(g.argMin(x, 1, false), 'float32')],
  ['shape', (g, x) => g.cast(g.op('Shape', [x], { start: 1 }, 'int64'), 'float32')],
  ['concatenation', (g, x) => g.concat([x, x, g.slice(x, 1, 3, 1)], 1)],
  ['slice from the end', (g, x) => g.slice(x, -3, 100, 2)],
  ['reversed slice', (g, x) => g.reverse(x, 4, 0, 2)],
  ['reversed slice, clamped', (g, x) => g.reverse(x, 40, 1, 2)],
  ['reversed slice, whole', (g, x) => g.reverse(x, -1, Number.MIN_SAFE_INTEGER, 1)],
  ['expand', (g, x) => g.op('Expand', [x, g.integers([3, 1, 1, 8])])],
  ['convolution', (g, x) => g.op('Conv', [x, ones(g, 4, 6, 3)], { strides: [2], pads: [2, 1] })],
  ['grouped convolution', (g, x) => g.op('Conv', [x, ones(g, 4, 3, 2)], { group: 2, dilations: [3] })],
  [
    'transposed convolution',
    (g, x) => g.op('ConvTranspose', [x, ones(g, 6, 5, 4)], { strides: [3], pads: [1, 0] }),
  ],
  ['padding', (g, x) => g.op('Pad', [x, g.integers([1, 0, 2, 0, 0, 3])], { mode: 'reflect' })],
  ['padding of one axis', (g, x) => g.op('Pad', [x, g.integers([1, 2]), null, g.integers([2])])],
  [
    'second part of a split',
    (g, x) =>
      g.call('Split', [x, g.integers([2, 4])], { axis: 1 }, { types: ['float32', 'float32'] })[1] ?? x,
  ],
  [
    'equal split',
    (g, x) => g.call('Split', [x], { axis: 2, num_outputs: 2 }, { types: ['float32', 'float32'] })[0],
  ],
  ['largest', (g, x) => g.topK(x, 3, { largest: true }).values],
  [
    'LSTM',
    (g, x) =>
      g.call(
        'LSTM',
        [x, ones(g, 1, 20, 8), ones(g, 1, 20, 5), ones(g, 1, 40)],
        { hidden_size: 5 },
        { types: ['float32'] },
      )[0],
  ],
];

describe('shapes inferred while a graph is built', () => {
  it.each(cases)('%s', async (_, build) => {
    const g = new GraphBuilder('case');
    const y = build(g, g.input('x', 'float32', [2, 6, 8]));
    expect(y.shape).not.toBeNull();
    g.output('y', y, y.shape ?? []);
    const session = await InferenceSession.create(g.build(), { logSeverityLevel: 3 });
    const result = await session.run({ x: new Tensor('float32', new Float32Array(96).fill(1), [2, 6, 8]) });
    await session.release();
    expect(y.shape).toEqual(result['y']?.dims);
  });

  it('keeps the names of sizes known at run time only', () => {
    const g = new GraphBuilder('names');
    const x = g.input('x', 'float32', ['batch', 300, 'width']);
    expect(g.add(x, g.scalar(1)).shape).toEqual(['batch', 300, 'width']);
    expect(g.reshape(g.transpose(x, [1, 0, 2]), [300, -1, 0]).shape).toEqual([300, 'batch', 'width']);
    const causal = { pads: [6, 0] };
    const wave = g.input('wave', 'float32', ['batch', 1, 'samples']);
    expect(g.op('Conv', [wave, ones(g, 4, 1, 7)], causal).shape).toEqual(['batch', 4, 'samples']);
  });

  it.each([
    ['MatMul', (g: GraphBuilder, x: Value) => g.matMul(x, ones(g, 7, 3)), /columns.*8.*rows.*7/],
    ['Add', (g: GraphBuilder, x: Value) => g.add(x, ones(g, 5, 8)), /cannot be combined/],
    ['Conv', (g: GraphBuilder, x: Value) => g.op('Conv', [x, ones(g, 4, 5, 3)]), /channels \(6\).*\(5\)/],
    ['Conv', (g: GraphBuilder, x: Value) => g.op('Conv', [x, ones(g, 4, 6, 9)]), /fewer than the kernel/],
    ['Reshape', (g: GraphBuilder, x: Value) => g.reshape(x, [5, -1]), /cannot become/],
    ['Concat', (g: GraphBuilder, x: Value) => g.concat([x, ones(g, 2, 5, 8)], 2), /differ/],
    ['Transpose', (g: GraphBuilder, x: Value) => g.transpose(x, [0, 0, 1]), /no order of the axes/],
    ['ReduceSum', (g: GraphBuilder, x: Value) => g.reduceSum(x, [3], true), /axis 3 of 3/],
  ])('names the node when sizes do not fit: %s', (opType, build, problem) => {
    const g = new GraphBuilder('faults');
    const x = g.input('x', 'float32', [2, 6, 8]);
    g.section('encoder.model.3');
    expect(() => build(g, x)).toThrow(problem);
    expect(() => build(g, x)).toThrow(new RegExp(`^encoder\\.model\\.3/node\\d+_${opType}: `));
    expect(() => build(g, x)).toThrow(GraphBuildError);
  });

  it('refuses an output that is not what it is declared as', () => {
    const g = new GraphBuilder('output');
    const x = g.input('x', 'float32', ['batch', 8]);
    expect(() => g.output('y', x, ['batch', 9])).toThrow('y: declared as [batch, 9], but it is [batch, 8]');
    expect(() => g.output('z', x, [8])).toThrow(GraphBuildError);
  });
});

describe('weights of a checkpoint in a graph', () => {
  const data = Float32Array.from({ length: 6 }, (_, i) => i);
  const source = memorySource({
    'a.weight': { shape: [2, 3], data },
    'b.weight': { shape: [2, 3], data },
    'c.weight': { shape: [2, 3], data: data.slice() },
    'd.weight': { shape: [3, 2], data: data.slice() },
  });

  it('are named as in the checkpoint and stored once, shared or copied', async () => {
    const g = new GraphBuilder('weights');
    const weights = new Weights(g, source);
    const values = await Promise.all(['a', 'b', 'c', 'd'].map((part) => weights.under(part).load('weight')));
    expect(values.map(({ name }) => name)).toEqual(['a.weight', 'a.weight', 'a.weight', 'd.weight']);
    expect(decodeModel(g.build()).graph.initializer.map(({ name }) => name)).toEqual([
      'a.weight',
      'd.weight',
    ]);
  });

  it('are computed once for the same tensor', async () => {
    let calls = 0;
    const weights = new Weights(new GraphBuilder('weights'), source);
    const flip = (part: string) =>
      weights.under(part).derive('.transposed', ['weight'], [3, 2], (values) => {
        calls++;
        return transposed(values, 2, 3);
      });
    const [a, b] = [await flip('a'), await flip('b')];
    expect([a.name, b.name, calls]).toEqual(['a.weight.transposed', 'a.weight.transposed', 1]);
    expect([...transposed(data, 2, 3)]).toEqual([0, 3, 1, 4, 2, 5]);
  });

  it('report what is missing or has other sizes by name', async () => {
    const weights = new Weights(new GraphBuilder('weights'), source);
    expect(() => weights.under('e').load('weight')).toThrow(/e\.weight/);
    expect(() => weights.under('a').load('weight', [3, 3])).toThrow(
      'a.weight: [2, 3] where [3, 3] was expected',
    );
    await expect(encodecEncoderGraph(source, { prefix: 'encoder.model' })).rejects.toThrow(
      'encoder.model: no SEANet modules under this name',
    );
  });
});
