import type { Attributes } from './messages.ts';
import type { Dimension } from './proto.ts';
import { at, numbers, same, shapeOf, type Call, type Known, type Shape } from './shape-tools.ts';

/** Sizes of a convolution over any number of axes. */
export function conv({ inputs, attributes, fresh }: Call): Shape {
  const [x, w] = [shapeOf(inputs, 0), shapeOf(inputs, 1)];
  if (x === null || w === null) return null;
  if (x.length !== w.length || x.length < 3)
    throw new Error(`[${x.join(', ')}] and kernel [${w.join(', ')}]`);
  const groups = Number(attributes['group'] ?? 1);
  const channels = at(w, 1);
  const wanted = typeof channels === 'number' ? channels * groups : channels;
  same(at(x, 1), wanted, 'the number of channels', `that of the kernel [${w.join(', ')}]`);
  const spatial = spatialSizes(x, w, attributes, (length, kernel, stride, padding) => {
    if (typeof length !== 'number') return stride === 1 && padding === kernel - 1 ? length : fresh();
    const out = Math.floor((length + padding - kernel) / stride) + 1;
    if (out < 1) throw new Error(`${length} samples are fewer than the kernel's ${kernel}`);
    return out;
  });
  return [at(x, 0), at(w, 0), ...spatial];
}

/** Sizes of a transposed convolution. */
export function convTranspose({ inputs, attributes, fresh }: Call): Shape {
  const [x, w] = [shapeOf(inputs, 0), shapeOf(inputs, 1)];
  if (x === null || w === null) return null;
  same(at(x, 1), at(w, 0), 'the number of channels', `that of the kernel [${w.join(', ')}]`);
  const groups = Number(attributes['group'] ?? 1);
  const channels = at(w, 1);
  const spatial = spatialSizes(x, w, attributes, (length, kernel, stride, padding) =>
    typeof length === 'number' ? (length - 1) * stride + kernel - padding : fresh(),
  );
  return [at(x, 0), typeof channels === 'number' ? channels * groups : channels, ...spatial];
}

type SizeRule = (length: Dimension, kernel: number, stride: number, padding: number) => Dimension;

function spatialSizes(x: Known, w: Known, attributes: Attributes, rule: SizeRule): Dimension[] {
  const axes = x.length - 2;
  const ones = Array.from({ length: axes }, () => 1);
  const strides = numbers(attributes['strides']) ?? ones;
  const dilations = numbers(attributes['dilations']) ?? ones;
  const pads = numbers(attributes['pads']) ?? [];
  return ones.map((_, i) => {
    const kernel = (Number(at(w, i + 2)) - 1) * (dilations[i] ?? 1) + 1;
    return rule(at(x, i + 2), kernel, strides[i] ?? 1, (pads[i] ?? 0) + (pads[i + axes] ?? 0));
  });
}

/** Sizes of the three outputs of an LSTM: sequence, last hidden state, last cell state. */
export function lstm({ inputs, attributes }: Call): Shape[] {
  const [x, w, r, b] = [0, 1, 2, 3].map((i) => shapeOf(inputs, i));
  const hidden = Number(attributes['hidden_size']);
  if (!x || !w || !r) return [null, null, null];
  const directions = at(w, 0);
  same(at(x, 2), at(w, 2), 'the width of the input', `that of the weights [${w.join(', ')}]`);
  same(at(w, 1), 4 * hidden, 'the rows of the weights', 'four gates');
  same(at(r, 2), hidden, 'the columns of the recurrence', 'hidden_size');
  if (b) same(at(b, 1), 8 * hidden, 'the length of the biases', 'two biases of four gates');
  const state = [directions, at(x, 1), hidden];
  return [[at(x, 0), directions, at(x, 1), hidden], state, state];
}
