import type { GraphBuilder, Value } from '../builder.ts';

/**
 * Padding of EnCodec's causal convolutions along the last axis of x [B, C, L]: `left` samples before, and after it as
 * many as complete the last stride, both by reflection. Where x is not longer than the padding it first gets zeros
 * after it until it is one sample longer; after the reflection as many samples are dropped again at the end.
 *
 * Any L ≥ 1, also when it is known at run time only. The parts that are added are tiny, so what this costs is one copy
 * of x (the same as Pad, whose reflection could not be used on the short inputs).
 *
 * @param left kernel − stride
 */
export function reflectPadded(g: GraphBuilder, x: Value, left: number, stride: number): Value {
  const parts = left > 0 ? [head(g, x, left), x] : [x];
  if (stride > 1) parts.push(tail(g, x, left, stride));
  return parts.length === 1 ? x : g.concat(parts, 2);
}

/** Samples left … 1 in reverse; those that a short x does not have are zeros. */
function head(g: GraphBuilder, x: Value, left: number): Value {
  const mirrored = reversed(g, g.slice(x, 1, left + 1, 2));
  const missing = g.op('Max', [minus(g, left + 1, lengthOf(g, x)), g.integers([0])]);
  return padded(g, mirrored, { before: missing });
}

/** What completes the last stride: samples L − 2, L − 3, … — or zeros when x is not longer than `left`. */
function tail(g: GraphBuilder, x: Value, left: number, stride: number): Value {
  const length = lengthOf(g, x);
  const wanted = g.op('Mod', [minus(g, 0, length), g.integers([stride])]);
  const last = minus(g, length, 1);
  const isLong = g.greater(length, g.integers([Math.max(left, stride - 1)]));
  const taken = g.op('Where', [isLong, wanted, g.integers([0])], {}, 'int64');
  const part = g.slice(x, minus(g, last, taken), last, 2);
  const mirrored = reversed(g, part);
  return padded(g, mirrored, { after: minus(g, wanted, taken) });
}

/** The last axis from its end to its start. WebGPU gets reversed slices right only when they take the whole axis. */
function reversed(g: GraphBuilder, x: Value): Value {
  return g.reverse(x, -1, Number.MIN_SAFE_INTEGER, 2);
}

/**
 * Adds zeros along the last of three axes. All axes are named, because ONNX Runtime's layout optimiser, which WebGPU
 * uses, takes pads of some axes for pads of all.
 */
function padded(g: GraphBuilder, x: Value, counts: { before?: Value; after?: Value }): Value {
  const others = g.integers([0, 0]);
  const none = g.integers([0]);
  const pads = g.concat([others, counts.before ?? none, others, counts.after ?? none], 0);
  return g.op('Pad', [x, pads], { mode: 'constant' });
}

function minus(g: GraphBuilder, a: Value | number, b: Value | number): Value {
  const value = (part: Value | number) => (typeof part === 'number' ? g.integers([part]) : part);
  return g.op('Sub', [value(a), value(b)]);
}

/** L as an int64 vector of one entry. */
function lengthOf(g: GraphBuilder, x: Value): Value {
  return g.op('Shape', [x], { start: 2, end: 3 }, 'int64');
}
