import { createHash } from 'node:crypto';
import { GraphBuildError } from './errors.ts';
import { attribute, valueInfo, type Attributes } from './messages.ts';
import { elementTypes, encodeModel } from './proto.ts';
import type { Dimension, ElementType, NodeMessage, TensorMessage, ValueInfoMessage } from './proto.ts';
import { inferShapes, type Shape } from './shapes.ts';

export type { Attributes, AttributeValue } from './messages.ts';
export type { Dimension, ElementType } from './proto.ts';
export type { Shape } from './shapes.ts';

/** A tensor inside a graph under construction; made by {@link GraphBuilder} only. */
export interface Value {
  readonly name: string;
  readonly type: ElementType;
  /** Sizes as far as they are known when the graph is built; names stand for sizes known at run time only. */
  readonly shape: Shape;
}
/** Anything an arithmetic operator takes: a value, or a number that becomes a float32 scalar initialiser. */
export type Operand = Value | number;
/** Where an operator comes from and what it gives, when that is not ONNX's own domain and one output. */
export interface CallOptions {
  /** Operator set; `com.microsoft` holds ONNX Runtime's own operators. */
  domain?: 'com.microsoft';
  /** Element type of each output; as many as there are outputs. Default: one, of the first input's type. */
  types?: readonly ElementType[];
  /** Sizes of each output where inference has no rule. */
  shapes?: readonly Shape[];
}

/**
 * The newest operator set that every provider of the shipped ONNX Runtime takes: DirectML ends at 20; CPU, CUDA, CoreML
 * and WebGPU go further.
 */
const OPSET = 20;
const IR_VERSION = 9;
const MICROSOFT_VERSION = 1;

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
export class GraphBuilder {
  readonly #name: string;
  readonly #nodes: NodeMessage[] = [];
  readonly #inputs: ValueInfoMessage[] = [];
  readonly #outputs: ValueInfoMessage[] = [];
  readonly #initialisers = new Map<string, TensorMessage>();
  readonly #counters = new Map<string, number>();
  readonly #taken = new Set<string>();
  readonly #integers = new Map<string, readonly number[]>();
  #section = '';
  #usesMicrosoft = false;

  constructor(name: string) {
    this.#name = name;
  }

  /** Declares a graph input; string dimensions are sizes known at run time only. */
  input(name: string, type: ElementType, dims: readonly Dimension[]): Value {
    this.#take(name);
    this.#inputs.push(valueInfo(name, type, dims));
    return { name, type, shape: dims };
  }

  /** Names the part of the model that the next nodes belong to, such as `encoder.model.3`; it begins their names. */
  section(name: string): void {
    this.#section = name;
  }

  /**
   * Declares a graph output under its own name.
   * @throws GraphBuildError when the inferred sizes contradict `dims`
   */
  output(name: string, value: Value, dims: readonly Dimension[]): void {
    this.#take(name);
    const { shape } = value;
    const differs = (size: Dimension, i: number) =>
      typeof size === 'number' && typeof dims[i] === 'number' && size !== dims[i];
    if (shape !== null && (shape.length !== dims.length || shape.some(differs)))
      throw new GraphBuildError(name, `declared as [${dims.join(', ')}], but it is [${shape.join(', ')}]`);
    this.#emit(this.#nodeName('Identity'), 'Identity', [value], [name], {});
    this.#outputs.push(valueInfo(name, value.type, dims));
  }

  /**
   * A weight, under the name it has in the checkpoint. A weight with equal contents and sizes that is already there is
   * given back instead, under its own name.
   * @throws GraphBuildError when sizes and data do not agree, or the name is taken by another weight
   */
  weight(name: string, dims: readonly number[], data: Float32Array): Value {
    if (dims.reduce((a, b) => a * b, 1) !== data.length)
      throw new GraphBuildError(name, `${data.length} numbers for [${dims.join(', ')}]`);
    return this.#constant('float32', dims, data, name);
  }

  /** A float32 constant. */
  floats(values: ArrayLike<number>, dims: readonly number[] = [values.length]): Value {
    return this.#constant('float32', dims, Float32Array.from(values));
  }

  /** An int64 constant. */
  integers(values: readonly number[], dims: readonly number[] = [values.length]): Value {
    return this.#constant('int64', dims, BigInt64Array.from(values, BigInt));
  }

  /** A float32 scalar constant. */
  scalar(value: number): Value {
    return this.floats([value], []);
  }

  /** Calls any operator of the default domain that has one output; `type` is the output's element type. */
  op(
    opType: string,
    inputs: readonly (Value | null)[],
    attributes: Attributes = {},
    type?: ElementType,
  ): Value {
    return this.#call(opType, inputs, attributes, type === undefined ? {} : { types: [type] })[0];
  }

  /** Calls any operator, with any number of outputs. */
  call(
    opType: string,
    inputs: readonly (Value | null)[],
    attributes: Attributes,
    options: CallOptions,
  ): readonly [Value, ...Value[]] {
    return this.#call(opType, inputs, attributes, options);
  }

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
    const [values, indices] = this.#call('TopK', [a, count], attributes, { types: [a.type, 'int64'] });
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

  /** @returns the serialised model, ready for `InferenceSession.create`. */
  build(): Uint8Array {
    return encodeModel({
      irVersion: IR_VERSION,
      producerName: 'archetone',
      graph: {
        node: this.#nodes,
        name: this.#name,
        initializer: [...this.#initialisers.values()],
        input: this.#inputs,
        output: this.#outputs,
      },
      opsetImport: [
        { domain: '', version: OPSET },
        ...(this.#usesMicrosoft ? [{ domain: 'com.microsoft', version: MICROSOFT_VERSION }] : []),
      ],
    });
  }

  #value(operand: Operand): Value {
    return typeof operand === 'number' ? this.scalar(operand) : operand;
  }

  #constant(
    type: ElementType,
    dims: readonly number[],
    data: Float32Array | BigInt64Array,
    name?: string,
  ): Value {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const key = `${type}[${dims.join()}]${createHash('sha256').update(bytes).digest('base64')}`;
    let tensor = this.#initialisers.get(key);
    if (tensor === undefined) {
      if (name !== undefined) this.#take(name);
      tensor = {
        dims: [...dims],
        dataType: elementTypes[type],
        name: name ?? this.#fresh('const'),
        rawData: bytes,
      };
      this.#initialisers.set(key, tensor);
      if (data instanceof BigInt64Array) this.#integers.set(tensor.name, Array.from(data, Number));
    }
    return { name: tensor.name, type, shape: dims };
  }

  #call(
    opType: string,
    inputs: readonly (Value | null)[],
    attributes: Attributes,
    { domain, types, shapes }: CallOptions,
  ): [Value, ...Value[]] {
    const node = this.#nodeName(opType);
    const inferred = shapes ?? this.#infer(node, opType, inputs, attributes);
    const [first = firstType(inputs), ...others] = types ?? [];
    const value = (type: ElementType, i: number): Value => ({
      name: this.#fresh(opType),
      type,
      shape: inferred[i] ?? null,
    });
    const outputs: [Value, ...Value[]] = [value(first, 0), ...others.map((type, i) => value(type, i + 1))];
    const outputNames = outputs.map((output) => output.name);
    this.#emit(node, opType, inputs, outputNames, attributes, domain);
    return outputs;
  }

  #infer(
    node: string,
    opType: string,
    inputs: readonly (Value | null)[],
    attributes: Attributes,
  ): readonly Shape[] {
    const seen = inputs.map((input) =>
      input === null ? null : { shape: input.shape, constant: this.#integers.get(input.name) },
    );
    try {
      return inferShapes(opType, { inputs: seen, attributes, fresh: () => this.#fresh('size') });
    } catch (cause) {
      throw new GraphBuildError(node, messageOf(cause));
    }
  }

  #nodeName(opType: string): string {
    const section = this.#section === '' ? '' : `${this.#section}/`;
    return `${section}node${this.#nodes.length}_${opType}`;
  }

  #emit(
    name: string,
    opType: string,
    inputs: readonly (Value | null)[],
    output: string[],
    attributes: Attributes,
    domain?: string,
  ): void {
    if (domain !== undefined) this.#usesMicrosoft = true;
    this.#nodes.push({
      input: inputs.map((input) => input?.name ?? ''),
      output,
      name,
      opType,
      attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
      ...(domain === undefined ? {} : { domain }),
    });
  }

  #fresh(prefix: string): string {
    for (;;) {
      const count = (this.#counters.get(prefix) ?? 0) + 1;
      this.#counters.set(prefix, count);
      const name = `${prefix}_${count}`;
      if (!this.#taken.has(name)) {
        this.#taken.add(name);
        return name;
      }
    }
  }

  #take(name: string): void {
    if (this.#taken.has(name)) throw new GraphBuildError(name, `the graph already has a value named ${name}`);
    this.#taken.add(name);
  }
}

function firstType(inputs: readonly (Value | null)[]): ElementType {
  const first = inputs[0];
  if (first === undefined || first === null)
    throw new Error('an operator without a first input needs its type');
  return first.type;
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
