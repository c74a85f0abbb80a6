import { createHash } from 'node:crypto';
import { GraphBuildError } from './errors.ts';
import { attribute, valueInfo, type Attributes } from './messages.ts';
import { elementTypes, encodeModel } from './proto.ts';
import type { Dimension, ElementType, NodeMessage, TensorMessage, ValueInfoMessage } from './proto.ts';
import { inferShapes } from './shapes.ts';
import type { Shape } from './shape-tools.ts';

/** A tensor inside a graph under construction; made by a graph builder only. */
export interface Value {
  readonly name: string;
  readonly type: ElementType;
  /** Sizes as far as they are known when the graph is built; names stand for sizes known at run time only. */
  readonly shape: Shape;
}
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

/** The part of a graph builder that knows no operator by name: values, nodes, constants and their names. */
export class GraphCore {
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
