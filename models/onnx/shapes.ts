import type { Dimension } from './proto.ts';
import { conv, convTranspose, lstm } from './shapes-conv.ts';
import {
  at,
  axisOf,
  count,
  isSet,
  numberOf,
  numbers,
  same,
  shapeOf,
  withShape,
  type Call,
  type Known,
  type Shape,
} from './shape-tools.ts';

type Rule = (call: Call) => Shape | Shape[];

/**
 * Shapes of the outputs of an operator call. Sizes known only at run time have names; two different names may turn
 * out equal, so only numbers are ever found to contradict each other.
 * @returns one shape per output the rule knows of; operators without a rule give none (unknown shapes).
 * @throws Error saying which sizes do not fit together.
 */
export function inferShapes(opType: string, call: Call): Shape[] {
  const rule = rules.get(opType);
  if (rule === undefined) return [];
  const result = rule(call);
  return result === null || !isList(result) ? [result] : result;
}

function isList(result: Shape | Shape[]): result is Shape[] {
  return result !== null && result.some((part) => part === null || typeof part === 'object');
}

const unary: Rule = ({ inputs }) => inputs[0]?.shape ?? null;
const binary: Rule = ({ inputs }) =>
  inputs.reduce<Shape>((all, input) => broadcast(all, input?.shape ?? null), []);

const rules = new Map<string, Rule>([
  ...names(
    'Neg Exp Log Sqrt Abs Sign Relu Elu Sigmoid Tanh Cos Sin Erf Gelu Softplus Floor Ceil Round',
    unary,
  ),
  ...names('Cast Clip Identity Softmax LogSoftmax Reciprocal Not CumSum QuantizeLinear', unary),
  ...names('DequantizeLinear', unary),
  ...names(
    'Add Sub Mul Div Max Min Pow Mod Equal Greater GreaterOrEqual Less LessOrEqual And Or Where',
    binary,
  ),
  ['LayerNormalization', layerNorm],
  ['MatMul', ({ inputs }) => matMul(shapeOf(inputs, 0), shapeOf(inputs, 1))],
  ['MatMulInteger', ({ inputs }) => matMul(shapeOf(inputs, 0), shapeOf(inputs, 1))],
  ['Gemm', gemm],
  ['Transpose', transpose],
  ['Gather', gather],
  ['Reshape', reshape],
  ['Unsqueeze', unsqueeze],
  ['Squeeze', squeeze],
  ...names('ReduceSum ReduceMean ReduceMin ReduceMax', reduce),
  ['ArgMin', arg],
  ['ArgMax', arg],
  ['Shape', shapeOperator],
  ['Concat', concat],
  ['Slice', slice],
  ['Split', split],
  ['Expand', ({ inputs }) => broadcast(shapeOf(inputs, 0), inputs[1]?.constant ?? null)],
  ['Conv', conv],
  ['ConvTranspose', convTranspose],
  ['LSTM', lstm],
  ['Pad', pad],
  ['TopK', topK],
  ['MultiHeadAttention', ({ inputs }) => shapeOf(inputs, 0)],
]);

function names(list: string, rule: Rule): [string, Rule][] {
  return list.split(' ').map((name) => [name, rule]);
}

/** NumPy's broadcasting. */
export function broadcast(a: Shape, b: Shape): Shape {
  if (a === null || b === null) return null;
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i): Dimension => {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x === y || y === 1) return x;
    if (x === 1) return y;
    if (typeof x === 'number' && typeof y === 'number')
      throw new Error(`[${a.join(', ')}] and [${b.join(', ')}] cannot be combined`);
    return typeof x === 'number' ? x : y;
  });
}

function matMul(a: Shape, b: Shape): Shape {
  if (a === null || b === null) return null;
  if (a.length < 2 || b.length < 2) throw new Error('MatMul of vectors is not used here');
  same(at(a, -1), at(b, -2), `the columns of [${a.join(', ')}]`, `the rows of [${b.join(', ')}]`);
  const outer = broadcast(a.slice(0, -2), b.slice(0, -2)) ?? [];
  return [...outer, at(a, -2), at(b, -1)];
}

function gemm({ inputs, attributes }: Call): Shape {
  const [a, b, c] = [shapeOf(inputs, 0), shapeOf(inputs, 1), inputs[2]];
  if (a === null || b === null) return null;
  if (a.length !== 2 || b.length !== 2) throw new Error('Gemm takes matrices');
  const [rows, inner] = isSet(attributes['transA']) ? [at(a, 1), at(a, 0)] : [at(a, 0), at(a, 1)];
  const [depth, columns] = isSet(attributes['transB']) ? [at(b, 1), at(b, 0)] : [at(b, 0), at(b, 1)];
  same(inner, depth, `the inner size of [${a.join(', ')}]`, `that of [${b.join(', ')}]`);
  const result = [rows, columns];
  if (c) broadcast(result, c.shape);
  return result;
}

function layerNorm({ inputs }: Call): Shape {
  const shape = shapeOf(inputs, 0);
  if (shape !== null) for (const part of inputs.slice(1)) broadcast(shape, part?.shape ?? null);
  return shape;
}

function transpose({ inputs, attributes }: Call): Shape {
  return withShape(inputs[0], (shape) => {
    const perm = numbers(attributes['perm']) ?? shape.map((_, i) => shape.length - 1 - i);
    if ([...perm].sort((a, b) => a - b).some((axis, i) => axis !== i) || perm.length !== shape.length)
      throw new Error(`[${perm.join(', ')}] is no order of the axes of [${shape.join(', ')}]`);
    return perm.map((axis) => at(shape, axis));
  });
}

function gather({ inputs, attributes }: Call): Shape {
  const indices = shapeOf(inputs, 1);
  if (indices === null) return null;
  return withShape(inputs[0], (shape) => {
    const axis = axisOf(attributes['axis'] ?? 0, shape.length);
    return [...shape.slice(0, axis), ...indices, ...shape.slice(axis + 1)];
  });
}

function reshape({ inputs, fresh }: Call): Shape {
  const target = inputs[1]?.constant;
  const from = shapeOf(inputs, 0);
  if (target === undefined) return null;
  if (from === null) return target.map((size) => (size > 0 ? size : fresh()));
  const copied = target.map((size, i): Dimension => (size === 0 ? at(from, i) : size));
  const hole = target.indexOf(-1);
  const total = count(from);
  const rest = count(copied.filter((_, i) => i !== hole));
  if (hole < 0) {
    if (total !== null && rest !== null && total !== rest) throw new Error(misfit(from, target));
    return copied;
  }
  if (total === null || rest === null) return copied.with(hole, leftOver(from, copied, hole) ?? fresh());
  if (total % rest !== 0) throw new Error(misfit(from, target));
  return copied.with(hole, total / rest);
}

/** The one size that −1 stands for when all others, run-time ones included, cancel out. */
function leftOver(from: Known, copied: Known, hole: number): Dimension | null {
  const left = [...from];
  for (const [i, size] of copied.entries()) {
    const where = left.indexOf(size);
    if (i === hole || size === 1) continue;
    if (where < 0) return null;
    left.splice(where, 1);
  }
  const rest = left.filter((size) => size !== 1);
  return rest.length === 1 ? (rest[0] ?? null) : null;
}

function misfit(from: Known, target: readonly number[]): string {
  return `[${from.join(', ')}] cannot become [${target.join(', ')}]`;
}

function unsqueeze({ inputs }: Call): Shape {
  const axes = inputs[1]?.constant;
  if (axes === undefined) return null;
  return withShape(inputs[0], (shape) => {
    const rank = shape.length + axes.length;
    const added = new Set(axes.map((axis) => axisOf(axis, rank)));
    const rest = shape[Symbol.iterator]();
    return Array.from({ length: rank }, (_, i) => (added.has(i) ? 1 : (rest.next().value ?? 1)));
  });
}

function squeeze({ inputs }: Call): Shape {
  const axes = inputs[1]?.constant;
  if (axes === undefined) return null;
  return withShape(inputs[0], (shape) => {
    const gone = new Set(axes.map((axis) => axisOf(axis, shape.length)));
    for (const axis of gone)
      same(at(shape, axis), 1, `axis ${axis} of [${shape.join(', ')}]`, 'a squeezed axis');
    return shape.filter((_, i) => !gone.has(i));
  });
}

function reduce({ inputs, attributes }: Call): Shape {
  const axes = inputs[1]?.constant;
  return withShape(inputs[0], (shape) =>
    axes === undefined ? null : reduced(shape, axes, attributes['keepdims']),
  );
}

function arg({ inputs, attributes }: Call): Shape {
  return withShape(inputs[0], (shape) =>
    reduced(shape, [Number(attributes['axis'] ?? 0)], attributes['keepdims']),
  );
}

function reduced(shape: Known, axes: readonly number[], keepDims: unknown): Known {
  const gone = new Set(axes.map((axis) => axisOf(axis, shape.length)));
  const keep = keepDims === undefined || isSet(keepDims);
  return shape.flatMap((size, i) => (!gone.has(i) ? [size] : keep ? [1] : []));
}

function shapeOperator({ inputs, attributes }: Call): Shape {
  const [from, to] = [numberOf(attributes['start']), numberOf(attributes['end'])];
  return withShape(inputs[0], (shape) => [shape.slice(from ?? 0, to ?? shape.length).length]);
}

function concat({ inputs, attributes, fresh }: Call): Shape {
  const shapes = inputs.map((_, i) => shapeOf(inputs, i));
  const first = shapes[0] ?? null;
  if (first === null || shapes.includes(null)) return null;
  const axis = axisOf(attributes['axis'] ?? 0, first.length);
  let total: Dimension = 0;
  for (const shape of shapes as Known[]) {
    if (shape.length !== first.length)
      throw new Error(`ranks ${first.length} and ${shape.length} do not join`);
    for (const [i, size] of shape.entries())
      if (i !== axis) same(size, at(first, i), `[${shape.join(', ')}]`, `[${first.join(', ')}]`);
    const size = at(shape, axis);
    total = typeof total === 'number' && typeof size === 'number' ? total + size : fresh();
  }
  return first.map((size, i) => (i === axis ? total : size));
}

function slice({ inputs, fresh }: Call): Shape {
  const [starts, ends] = [inputs[1]?.constant, inputs[2]?.constant];
  return withShape(inputs[0], (shape) => {
    const axes = inputs[3] ? inputs[3].constant : starts?.map((_, i) => i);
    const steps = inputs[4] ? inputs[4].constant : axes?.map(() => 1);
    if (axes === undefined) return null;
    const result = [...shape];
    for (const [i, raw] of axes.entries()) {
      const axis = axisOf(raw, shape.length);
      const [size, start, end, step] = [at(shape, axis), starts?.[i], ends?.[i], steps?.[i]];
      if (typeof size !== 'number' || start === undefined || end === undefined || step === undefined) {
        result[axis] = fresh();
        continue;
      }
      result[axis] = sliced(size, start, end, step);
    }
    return result;
  });
}

/** How many of `size` entries a slice takes; ends are clamped as ONNX does, for steps in both directions. */
function sliced(size: number, start: number, end: number, step: number): number {
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
  const clamp = (at: number) => Math.min(high, Math.max(low, at < 0 ? at + size : at));
  const first = step > 0 ? clamp(start) : Math.max(0, clamp(start));
  return Math.max(0, Math.ceil((clamp(end) - first) / step));
}

function split({ inputs, attributes }: Call): Shape[] {
  const shape = shapeOf(inputs, 0);
  const sizes = inputs[1]?.constant;
  const parts = sizes?.length ?? Number(attributes['num_outputs'] ?? 1);
  if (shape === null) return Array.from({ length: parts }, () => null);
  const axis = axisOf(attributes['axis'] ?? 0, shape.length);
  const total = at(shape, axis);
  const each = sizes ?? equalParts(total, parts);
  if (sizes !== undefined && typeof total === 'number')
    same(
      sizes.reduce((a, b) => a + b, 0),
      total,
      'the sum of the parts',
      `axis ${axis} of [${shape.join(', ')}]`,
    );
  return each.map((size) => shape.map((old, i) => (i === axis ? size : old)));
}

function equalParts(total: Dimension, parts: number): Dimension[] {
  if (typeof total !== 'number') return Array.from({ length: parts }, (_, i) => `${total}/${parts}#${i}`);
  if (total % parts !== 0) throw new Error(`${total} cannot be split into ${parts} equal parts`);
  return Array.from({ length: parts }, () => total / parts);
}

function pad({ inputs, fresh }: Call): Shape {
  const pads = inputs[1]?.constant;
  const axes = inputs[3]?.constant;
  return withShape(inputs[0], (shape) => {
    const which = (axes ?? shape.map((_, i) => i)).map((axis) => axisOf(axis, shape.length));
    if (pads !== undefined) same(pads.length, 2 * which.length, 'the number of pads', 'two for each axis');
    return shape.map((size, axis) => {
      const i = which.indexOf(axis);
      if (i < 0) return size;
      const added = pads === undefined ? null : (pads[i] ?? 0) + (pads[i + which.length] ?? 0);
      if (added === 0) return size;
      return typeof size === 'number' && added !== null ? size + added : fresh();
    });
  });
}

function topK({ inputs, fresh }: Call): Shape[] {
  const shape = withShape(inputs[0], (dims) => [...dims.slice(0, -1), inputs[1]?.constant?.[0] ?? fresh()]);
  return [shape, shape];
}
