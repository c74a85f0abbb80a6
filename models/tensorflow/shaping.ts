import type { Value } from '../onnx/builder.ts';
import type { Dimension } from '../onnx/proto.ts';
import type { Operators } from './elementwise.ts';
import { held, sizesOf, type Call, type Held } from './held.ts';

/** Ends of a slice that is open there; far beyond any axis. */
const OPEN = 2 ** 31 - 1;

/** Outputs that an operator may have. */
const MOST_OUTPUTS = 10_000;

function outputsOf(call: Call, count: number): number {
  if (count > MOST_OUTPUTS) throw call.problem(`has ${count} outputs`);
  return count;
}

/** Operators that move numbers about, and those that calculate with sizes. */
export const shaping: Operators = {
  Shape: (call) => sizesOf(call.shape(call.value(0))),
  Reshape: (call) => {
    const input = call.input(0);
    const target = call.sizes(1);
    if (input.kind === 'sizes') return sizesOf(input.sizes, target.length === 0);
    if (input.kind === 'tensor' && target.every((size) => typeof size === 'number' && size >= 0))
      return { kind: 'tensor', tensor: { ...input.tensor, shape: target.map(Number) } };
    return held(reshaped(call, call.value(0), target));
  },
  ExpandDims: (call) => {
    const input = call.input(0);
    if (input.kind === 'sizes') return sizesOf(input.sizes);
    const [axis = 0] = call.integers(1);
    if (input.kind === 'tensor') {
      const { shape } = input.tensor;
      const at = axis < 0 ? shape.length + 1 + axis : axis;
      return { kind: 'tensor', tensor: { ...input.tensor, shape: shape.toSpliced(at, 0, 1) } };
    }
    return held(call.g.unsqueeze(call.value(0), [axis]));
  },
  Squeeze: (call) => {
    const x = call.value(0);
    const told = call.attribute('squeeze_dims').ints ?? call.attribute('axis').ints ?? [];
    const ones = call.shape(x).flatMap((size, axis) => (size === 1 ? [axis] : []));
    const axes = told.length > 0 ? told : ones;
    return held(axes.length === 0 ? x : call.g.squeeze(x, axes));
  },
  Transpose: (call) => held(call.g.transpose(call.value(0), call.integers(1))),
  ConcatV2: (call) => joined(call, call.inputs.length - 1, call.integers(call.inputs.length - 1)[0] ?? 0, 0),
  Concat: (call) => joined(call, call.inputs.length, call.integers(0)[0] ?? 0, 1),
  Pack: (call) => {
    const axis = call.attribute('axis').int ?? 0;
    if (call.inputs.every(isSizes)) return sizesOf(call.inputs.flatMap((_, i) => [...call.sizes(i)]));
    return held(
      call.g.concat(
        call.inputs.map((_, i) => call.g.unsqueeze(call.value(i), [axis])),
        axis,
      ),
    );
  },
  Unpack: (call) => {
    const axis = call.attribute('axis').int ?? 0;
    const x = call.value(0);
    return Array.from({ length: outputsOf(call, call.size(x, axis)) }, (_, i) =>
      held(call.g.squeeze(call.g.slice(x, i, i + 1, axis), [axis])),
    );
  },
  Split: (call) => {
    const [axis = 0] = call.integers(0);
    const x = call.value(1);
    const parts = outputsOf(call, call.attribute('num_split').int ?? 1);
    const each = call.size(x, axis) / parts;
    return Array.from({ length: parts }, (_, i) => held(call.g.slice(x, i * each, (i + 1) * each, axis)));
  },
  SplitV: (call) => {
    const x = call.value(0);
    const [axis = 0] = call.integers(2);
    let at = 0;
    return call.integers(1).map((size) => held(call.g.slice(x, at, (at += size), axis)));
  },
  Slice: (call) => {
    const [starts, lengths] = [call.integers(1), call.integers(2)];
    const ends = starts.map((start, i) => ((lengths[i] ?? -1) < 0 ? OPEN : start + (lengths[i] ?? 0)));
    const input = call.input(0);
    if (isSizes(input)) return sizesOf(call.sizes(0).slice(starts[0], ends[0]));
    return held(
      sliced(
        call,
        call.value(0),
        starts,
        ends,
        starts.map((_, i) => i),
        starts.map(() => 1),
      ),
    );
  },
  StridedSlice: (call) => stridedSlice(call),
  Pad: (call) => padded(call, 'constant'),
  PadV2: (call) => padded(call, 'constant', call.tensor(2).data[0] ?? 0),
  MirrorPad: (call) => {
    if (call.attribute('mode').text !== 'REFLECT')
      throw call.problem('mirrors the border itself, which ONNX cannot');
    return padded(call, 'reflect');
  },
  GatherV2: (call) => {
    const [axis = 0] = call.inputs.length > 2 ? call.integers(2) : [0];
    const input = call.input(0);
    if (isSizes(input)) {
      const all = call.sizes(0);
      return sizesOf(
        call.integers(1).map((i) => all.at(i) ?? 0),
        call.isTensor(1) && call.tensor(1).shape.length === 0,
      );
    }
    const { shape } = call.tensor(1);
    return held(call.g.gather(call.value(0), call.g.integers(call.integers(1), shape), axis));
  },
  Tile: (call) => {
    const x = call.value(0);
    const times = call.integers(1);
    const shape = call
      .shape(x)
      .map((size, i): Dimension => (times[i] === 1 ? size : call.size(x, i) * (times[i] ?? 1)));
    return held(
      call.g.call('Tile', [x, call.g.integers(times)], {}, { types: ['float32'], shapes: [shape] })[0],
    );
  },
};

const isSizes = (input: Held): boolean =>
  input.kind === 'sizes' || (input.kind === 'tensor' && !input.tensor.isFloat);

function joined(call: Call, count: number, axis: number, from: number): Held {
  const inputs = call.inputs.slice(from, from + (from === 0 ? count : count - from));
  if (inputs.every(isSizes)) return sizesOf(inputs.flatMap((_, i) => [...call.sizes(from + i)]));
  return held(
    call.g.concat(
      inputs.map((_, i) => call.value(from + i)),
      axis,
    ),
  );
}

/** A size that is known at run time only is copied from its own place, or is what is left over. */
function reshaped(call: Call, x: Value, target: readonly Dimension[]): Value {
  const from = call.shape(x);
  const open = target.filter((size) => size === -1 || typeof size === 'string').length;
  const dims = target.map((size, i) => {
    if (typeof size === 'number') return size;
    if (from[i] === size) return 0;
    if (open === 1) return -1;
    throw call.problem('takes several sizes that are known at run time only');
  });
  return call.g.reshape(x, dims);
}

function sliced(
  call: Call,
  x: Value,
  starts: number[],
  ends: number[],
  axes: number[],
  steps: number[],
): Value {
  const { g } = call;
  return g.op('Slice', [x, g.integers(starts), g.integers(ends), g.integers(axes), g.integers(steps)]);
}

/** `x[begin:end:stride, …]` with NumPy's ellipsis, new axes, and axes that go. */
function stridedSlice(call: Call): Held {
  const [begin, end, stride] = [call.integers(1), call.integers(2), call.integers(3)];
  const bit = (mask: string, i: number) => (((call.attribute(mask).int ?? 0) >> i) & 1) === 1;
  const input = call.input(0);
  if (isSizes(input)) {
    const all = call.sizes(0);
    const [from = 0] = begin;
    if (bit('shrink_axis_mask', 0)) return sizesOf([all.at(from) ?? 0], true);
    if ((stride[0] ?? 1) !== 1) throw call.problem('takes some of the sizes of a value');
    return sizesOf(all.slice(bit('begin_mask', 0) ? 0 : from, bit('end_mask', 0) ? undefined : end[0]));
  }
  const x = call.value(0);
  const rank = call.shape(x).length;
  const isNew = (i: number) => bit('new_axis_mask', i) && !bit('ellipsis_mask', i);
  const taken = begin.filter((_, i) => !isNew(i) && !bit('ellipsis_mask', i)).length;
  const cuts: { axis: number; start: number; end: number; step: number }[] = [];
  const gone: number[] = [];
  const fresh: number[] = [];
  let [axis, out] = [0, 0];
  begin.forEach((start, i) => {
    if (bit('ellipsis_mask', i)) {
      axis += rank - taken;
      out += rank - taken;
    } else if (isNew(i)) fresh.push(out++);
    else if (bit('shrink_axis_mask', i)) {
      cuts.push({ axis, start, end: start === -1 ? OPEN : start + 1, step: 1 });
      gone.push(axis++);
    } else {
      const step = stride[i] ?? 1;
      const cut = {
        start: bit('begin_mask', i) ? (step > 0 ? 0 : OPEN) : start,
        end: bit('end_mask', i) ? (step > 0 ? OPEN : -OPEN) : (end[i] ?? OPEN),
      };
      if (cut.start !== 0 || cut.end !== OPEN || step !== 1) cuts.push({ axis, ...cut, step });
      axis++;
      out++;
    }
  });
  const part = (key: keyof (typeof cuts)[number]) => cuts.map((cut) => cut[key]);
  const cutOut =
    cuts.length === 0 ? x : sliced(call, x, part('start'), part('end'), part('axis'), part('step'));
  const fewer = gone.length === 0 ? cutOut : call.g.squeeze(cutOut, gone);
  return held(fresh.length === 0 ? fewer : call.g.unsqueeze(fewer, fresh));
}

function padded(call: Call, mode: 'constant' | 'reflect', filling = 0): Held {
  const pads = call.integers(1);
  const order = [0, 1].flatMap((side) => pads.filter((_, i) => i % 2 === side));
  const inputs = [call.value(0), call.g.integers(order), ...(filling === 0 ? [] : [call.g.scalar(filling)])];
  return held(call.g.op('Pad', inputs, { mode }));
}
