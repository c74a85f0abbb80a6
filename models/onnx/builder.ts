import { GraphCore, type Value } from './graph-core.ts';
import { elementTypes, type ElementType } from './proto.ts';

export type { CallOptions, Value } from './graph-core.ts';
export type { Attributes, AttributeValue } from './messages.ts';
export type { Dimension, ElementType } from './proto.ts';
export type { Shape } from './shape-tools.ts';

/** Anything an arithmetic operator takes: a value, or a number that becomes a float32 scalar initialiser. */
export type Operand = Value | number;
/**
 * Builds an ONNX graph, operator by operator (opset 20). Shapes are inferred as it grows, so that sizes that do not
 * fit together are reported where they meet ({@link GraphBuildError} names the node). Names follow the order of the
 * calls and initialisers with equal contents are stored once, so the same calls always give the same bytes.
 *
 * @example Exact search by inner product: the 10 rows of `base [n, 64]` closest to each row of `query [m, 64]`.
 * ```ts
 * const g = new GraphBuilder('search');
 * const query = g.input('query', 'float32', ['m', 64]);
 * const base = g.input('base', 'float32', ['n', 64]);
 * const scores = g.gemm(query, base, { transB: true });
 * const { values, indices } = g.topK(scores, 10, { largest: true });
 * g.output('score', values, ['m', 10]);
 * g.output('row', indices, ['m', 10]);
 * const session = await InferenceSession.create(g.build());
 * ```
 */
export class GraphBuilder extends GraphCore {
  add(a: Operand, b: Operand): Value {
    return this.op('Add', [this.#value(a), this.#value(b)]);
  }
  sub(a: Operand, b: Operand): Value {
    return this.op('Sub', [this.#value(a), this.#value(b)]);
  }
  mul(a: Operand, b: Operand): Value {
    return this.op('Mul', [this.#value(a), this.#value(b)]);
  }
  div(a: Operand, b: Operand): Value {
    return this.op('Div', [this.#value(a), this.#value(b)]);
  }
  max(a: Operand, b: Operand): Value {
    return this.op('Max', [this.#value(a), this.#value(b)]);
  }
  min(a: Operand, b: Operand): Value {
    return this.op('Min', [this.#value(a), this.#value(b)]);
  }
  neg(a: Value): Value {
    return this.op('Neg', [a]);
  }
  exp(a: Value): Value {
    return this.op('Exp', [a]);
  }
  log(a: Value): Value {
    return this.op('Log', [a]);
  }
  sqrt(a: Value): Value {
    return this.op('Sqrt', [a]);
  }
  abs(a: Value): Value {
    return this.op('Abs', [a]);
  }
  sign(a: Value): Value {
    return this.op('Sign', [a]);
  }
  relu(a: Value): Value {
    return this.op('Relu', [a]);
  }
  sigmoid(a: Value): Value {
    return this.op('Sigmoid', [a]);
  }
  softmax(a: Value, axis: number): Value {
    return this.op('Softmax', [a], { axis });
  }
  logSoftmax(a: Value, axis: number): Value {
    return this.op('LogSoftmax', [a], { axis });
  }
  matMul(a: Value, b: Value): Value {
    return this.op('MatMul', [a, b]);
  }
  /** `A·B (+ C)` on matrices, each optionally transposed. */
  gemm(a: Value, b: Value, options: { transA?: boolean; transB?: boolean; c?: Value } = {}): Value {
    const inputs = options.c === undefined ? [a, b] : [a, b, options.c];
    return this.op('Gemm', inputs, { transA: options.transA ?? false, transB: options.transB ?? false });
  }
  transpose(a: Value, perm: readonly number[]): Value {
    return this.op('Transpose', [a], { perm });
  }
  /** Rows (or slices along `axis`) of `data` at `indices`. */
  gather(data: Value, indices: Value, axis = 0): Value {
    return this.op('Gather', [data, indices], { axis });
  }
  /** One-hot float32 rows of `depth` for int64 indices, along a new last axis. */
  oneHot(indices: Value, depth: Value): Value {
    return this.op('OneHot', [indices, depth, this.floats([0, 1])], { axis: -1 }, 'float32');
  }
  reshape(a: Value, dims: readonly number[]): Value {
    return this.op('Reshape', [a, this.integers(dims)]);
  }
  unsqueeze(a: Value, axes: readonly number[]): Value {
    return this.op('Unsqueeze', [a, this.integers(axes)]);
  }
  reduceSum(a: Value, axes: readonly number[], keepDims: boolean): Value {
    return this.op('ReduceSum', [a, this.integers(axes)], { keepdims: keepDims });
  }
  reduceMean(a: Value, axes: readonly number[], keepDims: boolean): Value {
    return this.op('ReduceMean', [a, this.integers(axes)], { keepdims: keepDims });
  }
  reduceMin(a: Value, axes: readonly number[], keepDims: boolean): Value {
    return this.op('ReduceMin', [a, this.integers(axes)], { keepdims: keepDims });
  }
  /** Index (int64) of the extreme entry; the first of equal ones. */
  argMin(a: Value, axis: number, keepDims: boolean): Value {
    return this.op('ArgMin', [a], { axis, keepdims: keepDims }, 'int64');
  }
  argMax(a: Value, axis: number, keepDims: boolean): Value {
    return this.op('ArgMax', [a], { axis, keepdims: keepDims }, 'int64');
  }
  equal(a: Value, b: Value): Value {
    return this.op('Equal', [a, b], {}, 'bool');
  }
  greater(a: Operand, b: Operand): Value {
    return this.op('Greater', [this.#value(a), this.#value(b)], {}, 'bool');
  }
  where(condition: Value, yes: Operand, no: Operand): Value {
    return this.op('Where', [condition, this.#value(yes), this.#value(no)], {}, 'float32');
  }
  cast(a: Value, type: ElementType): Value {
    return this.op('Cast', [a], { to: elementTypes[type] }, type);
  }
  shape(a: Value): Value {
    return this.op('Shape', [a], {}, 'int64');
  }
  /** Mean-zero, unit-variance rows over the last axis, then scale and bias. */
  layerNorm(a: Value, scale: Value, bias: Value, epsilon: number): Value {
    return this.op('LayerNormalization', [a, scale, bias], { axis: -1, epsilon: { float: epsilon } });
  }
  /** The `k` extreme entries of the last axis, sorted; `k` may be an int64 value of shape [1]. */
  topK(a: Value, k: number | Value, options: { largest: boolean }): { values: Value; indices: Value } {
    const count = typeof k === 'number' ? this.integers([k]) : k;
    const attributes = { axis: -1, largest: options.largest, sorted: true };
    const [values, indices] = this.call('TopK', [a, count], attributes, { types: [a.type, 'int64'] });
    if (indices === undefined) throw new Error('TopK has two outputs');
    return { values, indices };
  }
  /** Values joined along `axis`. */
  concat(parts: readonly Value[], axis: number): Value {
    return this.op('Concat', parts, { axis });
  }
  /** `a[…, from:to, …]` along `axis`; both ends may be int64 values of shape [1]. */
  slice(a: Value, from: number | Value, to: number | Value, axis: number): Value {
    const end = (at: number | Value) => (typeof at === 'number' ? this.integers([at]) : at);
    return this.op('Slice', [a, end(from), end(to), this.integers([axis])]);
  }
  /** `a[…, from:to:-1, …]` along `axis`: from `from` down to, but without, `to`. */
  reverse(a: Value, from: number, to: number, axis: number): Value {
    const one = (at: number) => this.integers([at]);
    return this.op('Slice', [a, one(from), one(to), one(axis), one(-1)]);
  }
  squeeze(a: Value, axes: readonly number[]): Value {
    return this.op('Squeeze', [a, this.integers(axes)]);
  }

  #value(operand: Operand): Value {
    return typeof operand === 'number' ? this.scalar(operand) : operand;
  }
}
