import { CheckpointError } from '../checkpoint/errors.ts';
import type { GraphBuilder, Value } from '../onnx/builder.ts';
import type { Dimension } from '../onnx/proto.ts';
import { damaged, type TfAttribute, type TfNode, type TfTensor } from './graph.ts';

/**
 * What an output of a node is while its graph is converted: numbers that are known, sizes (integers, some of which are known
 * at run time only and have names), or a value of the ONNX graph.
 */
export type Held =
  | { kind: 'tensor'; tensor: TfTensor }
  | { kind: 'sizes'; sizes: readonly Dimension[]; scalar: boolean }
  | { kind: 'value'; value: Value };

/** One operator with its inputs, as its conversion sees it. */
export class Call {
  readonly g: GraphBuilder;
  readonly node: TfNode;
  readonly inputs: readonly Held[];

  constructor(g: GraphBuilder, node: TfNode, inputs: readonly Held[]) {
    this.g = g;
    this.node = node;
    this.inputs = inputs;
  }

  input(i: number): Held {
    const held = this.inputs.at(i);
    if (held === undefined) throw this.problem(`has no input ${i}`);
    return held;
  }

  /** An input as a value of the graph; numbers become a weight. */
  value(i: number): Value {
    const held = this.input(i);
    if (held.kind === 'value') return held.value;
    const { shape, isFloat, data } = this.tensor(i);
    if (!isFloat) return this.g.floats(data, shape);
    return this.g.weight(`${this.node.inputs.at(i) ?? this.node.name}#${i}`, shape, Float32Array.from(data));
  }

  /** An input whose numbers have to be known. */
  tensor(i: number): TfTensor {
    const held = this.input(i);
    if (held.kind === 'tensor') return held.tensor;
    if (held.kind === 'sizes') {
      const data = Float64Array.from(this.integers(i));
      return { shape: held.scalar ? [] : [data.length], isFloat: false, data };
    }
    throw this.problem(`computes its input ${this.node.inputs.at(i) ?? i}, which has to be a constant`);
  }

  /** Whether an input is a constant, a weight for instance. */
  isTensor(i: number): boolean {
    return this.inputs.at(i)?.kind === 'tensor';
  }

  /** An input as sizes, some of which may be names. */
  sizes(i: number): readonly Dimension[] {
    const held = this.input(i);
    if (held.kind === 'sizes') return held.sizes;
    const { data, isFloat } = this.tensor(i);
    if (isFloat) throw this.problem('wants integers');
    return Array.from(data);
  }

  /** An input as integers that are known. */
  integers(i: number): number[] {
    return this.sizes(i).map((size) => {
      if (typeof size === 'number') return size;
      throw this.problem(`wants ${this.node.inputs.at(i) ?? 'an input'} before it runs`);
    });
  }

  attribute(name: string): TfAttribute {
    return this.node.attributes.get(name) ?? {};
  }

  /** Sizes of a value. */
  shape(value: Value): readonly Dimension[] {
    if (value.shape === null) throw this.problem('takes a value whose sizes are not known');
    return value.shape;
  }

  /** A size of a value that has to be a number. */
  size(value: Value, axis: number): number {
    const size = this.shape(value).at(axis);
    if (typeof size === 'number') return size;
    throw this.problem('takes a value one of whose sizes is known at run time only');
  }

  problem(what: string): CheckpointError {
    return new CheckpointError(
      'unsupported',
      `the operator ${this.node.op} (${this.node.name}) ${what}`,
      'Use the ONNX file of this model where there is one, or convert it with tf2onnx.',
    );
  }
}

export const held = (value: Value): Held => ({ kind: 'value', value });
/** Sizes, and letters of a name, that no network comes near: a graph may double both with every node. */
export const MOST_SIZES = 2 ** 16;
const LONGEST_NAME = 10_000;

/** @throws CheckpointError `malformed` for more of them than any network calculates with */
export function sizesOf(sizes: readonly Dimension[], scalar = false): Held {
  if (
    sizes.length > MOST_SIZES ||
    sizes.some((size) => typeof size === 'string' && size.length > LONGEST_NAME)
  )
    throw damaged('the graph calculates with sizes without end');
  return { kind: 'sizes', sizes, scalar };
}
