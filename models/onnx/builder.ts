import {
  attributeTypes,
  elementTypes,
  encodeModel,
  type AttributeMessage,
  type Dimension,
  type ElementType,
  type NodeMessage,
  type TensorMessage,
  type ValueInfoMessage,
} from './proto.ts';

export type { Dimension, ElementType } from './proto.ts';

/** A tensor inside a graph under construction; made by {@link GraphBuilder} only. */
export interface Value {
  readonly name: string;
  readonly type: ElementType;
}
/** Attribute values: integers and floats are told apart, because ONNX does (`{ float: 1 }` is never an int). */
export type AttributeValue = number | boolean | string | readonly number[] | { readonly float: number };
/** Named attributes of an operator call. */
export type Attributes = Readonly<Record<string, AttributeValue>>;
/** Anything an arithmetic operator takes: a value, or a number that becomes a float32 scalar initialiser. */
export type Operand = Value | number;

const OPSET = 17;
const IR_VERSION = 8;

/**
 * Builds a small ONNX graph, operator by operator (opset 17). Names follow the order of the calls and
 * initialisers with equal contents are stored once, so the same calls always give the same bytes.
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

  constructor(name: string) {
    this.#name = name;
  }

  /** Declares a graph input; string dimensions are sizes known at run time only. */
  input(name: string, type: ElementType, dims: readonly Dimension[]): Value {
    this.#take(name);
    this.#inputs.push(valueInfo(name, type, dims));
    return { name, type };
  }

  /** Declares a graph output under its own name. */
  output(name: string, value: Value, dims: readonly Dimension[]): void {
    this.#take(name);
    this.#emit('Identity', [value], [name], {});
    this.#outputs.push(valueInfo(name, value.type, dims));
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
    const name = this.#fresh(opType);
    this.#emit(opType, inputs, [name], attributes);
    return { name, type: type ?? firstType(inputs) };
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
    return this.op('ReduceMean', [a], { axes, keepdims: keepDims });
  }
  reduceMin(a: Value, axes: readonly number[], keepDims: boolean): Value {
    return this.op('ReduceMin', [a], { axes, keepdims: keepDims });
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
    const values = this.#fresh('TopK');
    const indices = this.#fresh('TopK');
    const count = typeof k === 'number' ? this.integers([k]) : k;
    this.#emit('TopK', [a, count], [values, indices], { axis: -1, largest: options.largest, sorted: true });
    return { values: { name: values, type: a.type }, indices: { name: indices, type: 'int64' } };
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
      opsetImport: [{ domain: '', version: OPSET }],
    });
  }

  #value(operand: Operand): Value {
    return typeof operand === 'number' ? this.scalar(operand) : operand;
  }

  #constant(type: ElementType, dims: readonly number[], data: Float32Array | BigInt64Array): Value {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const key = `${type}[${dims.join()}]${Buffer.from(bytes).toString('base64')}`;
    let tensor = this.#initialisers.get(key);
    if (tensor === undefined) {
      tensor = { dims: [...dims], dataType: elementTypes[type], name: this.#fresh('const'), rawData: bytes };
      this.#initialisers.set(key, tensor);
    }
    return { name: tensor.name, type };
  }

  #emit(opType: string, inputs: readonly (Value | null)[], output: string[], attributes: Attributes): void {
    this.#nodes.push({
      input: inputs.map((input) => input?.name ?? ''),
      output,
      name: `node${this.#nodes.length}_${opType}`,
      opType,
      attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
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
    if (this.#taken.has(name)) throw new Error(`the graph already has a value named ${name}`);
    this.#taken.add(name);
  }
}

function firstType(inputs: readonly (Value | null)[]): ElementType {
  const first = inputs[0];
  if (first === undefined || first === null)
    throw new Error('an operator without a first input needs its type');
  return first.type;
}

function valueInfo(name: string, type: ElementType, dims: readonly Dimension[]): ValueInfoMessage {
  const dim = dims.map((d) => (typeof d === 'number' ? { dimValue: d } : { dimParam: d }));
  return { name, type: { tensorType: { elemType: elementTypes[type], shape: { dim } } } };
}

function attribute(name: string, value: AttributeValue): AttributeMessage {
  if (typeof value === 'string')
    return { name, type: attributeTypes.string, s: new TextEncoder().encode(value) };
  if (typeof value === 'boolean') return { name, type: attributeTypes.int, i: value ? 1 : 0 };
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value))
      throw new Error(`attribute ${name}: floats are written as { float: … }`);
    return { name, type: attributeTypes.int, i: value };
  }
  if ('float' in value) return { name, type: attributeTypes.float, f: value.float };
  return { name, type: attributeTypes.ints, ints: [...value] };
}
