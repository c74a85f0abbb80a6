import type { Value } from '../onnx/builder.ts';
import type { Dimension } from '../onnx/proto.ts';
import { activations, biasAdded, type Operators } from './elementwise.ts';
import { held, sizesOf, type Call, type Held } from './held.ts';

/** Operators with weights, and those that sum up. */
export const layers: Operators = {
  MatMul: (call) => held(product(call, 'transpose_a', 'transpose_b')),
  BatchMatMul: (call) => held(product(call, 'adj_x', 'adj_y')),
  BatchMatMulV2: (call) => held(product(call, 'adj_x', 'adj_y')),
  _FusedMatMul: (call) => fused(call, product(call, 'transpose_a', 'transpose_b')),
  Conv2D: (call) => held(convolved(call, false)),
  DepthwiseConv2dNative: (call) => held(convolved(call, true)),
  _FusedConv2D: (call) => fused(call, convolved(call, false)),
  FusedConv2D: (call) => fused(call, convolved(call, false)),
  FusedDepthwiseConv2dNative: (call) => fused(call, convolved(call, true)),
  _FusedDepthwiseConv2dNative: (call) => fused(call, convolved(call, true)),
  FusedBatchNorm: normalised,
  FusedBatchNormV2: normalised,
  FusedBatchNormV3: normalised,
  MaxPool: (call) => held(pooled(call, 'MaxPool')),
  AvgPool: (call) => held(pooled(call, 'AveragePool')),
  Mean: (call) => summed(call, 'ReduceMean'),
  Sum: (call) => summed(call, 'ReduceSum'),
  Max: (call) => summed(call, 'ReduceMax'),
  Min: (call) => summed(call, 'ReduceMin'),
  Prod: (call) => {
    if (call.input(0).kind === 'value') throw call.problem('multiplies the numbers of a value');
    const sizes = call.sizes(0);
    const known = sizes.every((size) => typeof size === 'number');
    return sizesOf([known ? sizes.map(Number).reduce((a, b) => a * b, 1) : `(${sizes.join(', ')})`], true);
  },
};

function product(call: Call, transposeA: string, transposeB: string): Value {
  const turned = (value: Value, flag: string): Value => {
    if (call.attribute(flag).flag !== true) return value;
    const axes = call.shape(value).map((_, i) => i);
    return call.g.transpose(value, [...axes.slice(0, -2), axes.length - 1, axes.length - 2]);
  };
  return call.g.matMul(turned(call.value(0), transposeA), turned(call.value(1), transposeB));
}

/** What stands behind a layer in one operator with it. The value before the activation is a second output. */
function fused(call: Call, layer: Value): readonly Held[] {
  const names = call.attribute('fused_ops').texts ?? [];
  let value = layer;
  let before = layer;
  for (const name of names) {
    before = value;
    const activation = activations[name];
    if (name === 'BiasAdd') value = before = biasAdded(call, value, 2);
    else if (name === 'FusedBatchNorm') value = before = scaled(call, value, [2, 3, 4, 5]);
    else if (activation) value = activation(call, value);
    else throw call.problem(`is fused with ${name}, which is not known`);
  }
  return [held(value), held(before)];
}

const isChannelsFirst = (call: Call): boolean => call.attribute('data_format').text === 'NCHW';

/** TensorFlow keeps channels last; ONNX wants them first, and ONNX Runtime takes the turns out again. */
function channelsFirst(call: Call, x: Value, work: (x: Value) => Value): Value {
  if (isChannelsFirst(call)) return work(x);
  return call.g.transpose(work(call.g.transpose(x, [0, 3, 1, 2])), [0, 2, 3, 1]);
}

function convolved(call: Call, depthwise: boolean): Value {
  const x = call.value(0);
  const { shape: known } = call.isTensor(1) ? call.tensor(1) : { shape: call.shape(call.value(1)) };
  const [height, width, channels, many] = known.map(Number);
  if (height === undefined || width === undefined || channels === undefined || many === undefined)
    throw call.problem('has no kernel of four axes');
  const { g } = call;
  // [height, width, in, out] → [out, in, height, width]; each channel by itself has kernels of its own.
  const kernel = depthwise
    ? g.reshape(g.transpose(call.value(1), [2, 3, 0, 1]), [channels * many, 1, height, width])
    : g.transpose(call.value(1), [3, 2, 0, 1]);
  const strides = spatial(call, 'strides');
  const dilations = spatial(call, 'dilations');
  return channelsFirst(call, x, (first) =>
    g.op('Conv', [first, kernel], {
      kernel_shape: [height, width],
      ...{ strides, dilations, pads: padsOf(call, first, [height, width], strides, dilations) },
      group: depthwise ? channels : 1,
    }),
  );
}

/** The two numbers of an attribute that stand for height and width. */
function spatial(call: Call, name: string): [number, number] {
  const all = call.attribute(name).ints ?? [];
  const [from, to] = isChannelsFirst(call) ? [2, 3] : [1, 2];
  return [all[from] ?? 1, all[to] ?? 1];
}

/** Rows before and after, as ONNX wants them: both starts, then both ends. */
function padsOf(
  call: Call,
  x: Value,
  kernel: readonly [number, number],
  strides: readonly [number, number],
  dilations: readonly [number, number],
): number[] {
  const padding = call.attribute('padding').text;
  if (padding === 'VALID') return [0, 0, 0, 0];
  if (padding === 'EXPLICIT') {
    const told = call.attribute('explicit_paddings').ints ?? [];
    const at = isChannelsFirst(call) ? 4 : 2;
    return [told[at] ?? 0, told[at + 2] ?? 0, told[at + 1] ?? 0, told[at + 3] ?? 0];
  }
  const sides = [0, 1].map((i) => {
    const reach = ((kernel[i] ?? 1) - 1) * (dilations[i] ?? 1) + 1;
    const stride = strides[i] ?? 1;
    // With a stride of one every size is padded alike; otherwise the last step decides.
    const total = stride === 1 ? reach - 1 : samePadding(call.size(x, i + 2), reach, stride);
    return { before: total >> 1, after: total - (total >> 1) };
  });
  return [...sides.map(({ before }) => before), ...sides.map(({ after }) => after)];
}

function samePadding(size: number, reach: number, stride: number): number {
  return Math.max(0, (Math.ceil(size / stride) - 1) * stride + reach - size);
}

function pooled(call: Call, opType: 'MaxPool' | 'AveragePool'): Value {
  const [kernel, strides] = [spatial(call, 'ksize'), spatial(call, 'strides')];
  return channelsFirst(call, call.value(0), (first) => {
    const pads = padsOf(call, first, kernel, strides, [1, 1]);
    const sizes = [0, 1].map((i): Dimension => {
      const padded = call.size(first, i + 2) + (pads[i] ?? 0) + (pads[i + 2] ?? 0);
      return Math.floor((padded - (kernel[i] ?? 1)) / (strides[i] ?? 1)) + 1;
    });
    const shape = [...call.shape(first).slice(0, 2), ...sizes];
    const attributes = { kernel_shape: kernel, strides, pads };
    return call.g.call(opType, [first], attributes, { types: ['float32'], shapes: [shape] })[0];
  });
}

function normalised(call: Call): Held {
  if (call.attribute('is_training').flag === true) throw call.problem('is one of training');
  return held(scaled(call, call.value(0), [1, 2, 3, 4]));
}

/** (x − mean) / √(variance + ε) · scale + offset, as one factor and one summand for each channel. */
function scaled(call: Call, x: Value, at: readonly [number, number, number, number]): Value {
  const [scale, offset, mean, variance] = at.map((i) => call.tensor(i).data);
  const epsilon = call.attribute('epsilon').float ?? 1e-4;
  const factor = Float32Array.from(scale ?? [], (s, i) => s / Math.sqrt((variance?.[i] ?? NaN) + epsilon));
  const summand = factor.map((f, i) => (offset?.[i] ?? NaN) - (mean?.[i] ?? NaN) * f);
  const shape = isChannelsFirst(call) ? [factor.length, 1, 1] : [factor.length];
  const { name } = call.node;
  return call.g.add(
    call.g.mul(x, call.g.weight(`${name}/factor`, shape, factor)),
    call.g.weight(`${name}/summand`, shape, summand),
  );
}

function summed(call: Call, opType: string): Held {
  const axes = call.integers(1);
  const keepdims = call.attribute('keep_dims').flag ?? call.attribute('keepDims').flag ?? false;
  const x = call.value(0);
  return held(axes.length === 0 ? x : call.g.op(opType, [x, call.g.integers(axes)], { keepdims }));
}
