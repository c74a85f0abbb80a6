import { float16ToFloat32 } from '../tensors/index.ts';
import { Budget, damaged, type TfAttribute, type TfGraph, type TfNode, type TfTensor } from './graph.ts';
import type {
  AttrMessage,
  FunctionMessage,
  GraphMessage,
  NodeMessage,
  ShapeMessage,
  TensorMessage,
} from './messages.ts';

/** Limits that no published network comes near. */
const MAX_NODES = 200_000;
const MAX_CALLS = 16;

const CALLS = new Set(['PartitionedCall', 'StatefulPartitionedCall']);

/**
 * Brings a graph into the form that is converted: functions written out where they are called, attributes by kind.
 * @param weights of nodes that keep theirs elsewhere
 * @throws CheckpointError `malformed`
 */
export function readGraph(
  message: GraphMessage,
  weights: ReadonlyMap<string, TfTensor> = new Map(),
): TfGraph {
  const functions = new Map(
    (message.library?.function ?? []).map((each) => [each.signature?.name ?? '', each] as const),
  );
  const graph = new Map<string, TfNode>();
  const budget = new Budget();
  const add = (node: NodeMessage, within: Scope | null, depth: number): void => {
    const { name: own = '', op = '' } = node;
    const name = within === null ? own : `${within.prefix}/${own}`;
    const inputs = node.input
      .filter((input) => !input.startsWith('^'))
      .map((input) => resolved(input, within));
    if (graph.has(name)) throw damaged(`the graph has two nodes named ${name}`);
    if (graph.size >= MAX_NODES) throw damaged(`the graph has more than ${MAX_NODES} nodes`);
    const called = CALLS.has(op) ? functions.get(node.attr['f']?.func?.name ?? '') : undefined;
    if (called === undefined) {
      graph.set(name, { name, op, inputs, attributes: attributesOf(node, weights.get(name), budget) });
      return;
    }
    if (depth >= MAX_CALLS) throw damaged('the functions of the graph call each other without end');
    const scope = scopeOf(name, called, inputs);
    for (const inner of called.nodeDef) add(inner, scope, depth + 1);
    const returned = (called.signature?.outputArg ?? []).map((arg) =>
      resolved(returnOf(called, arg.name ?? ''), scope),
    );
    graph.set(name, { name, op: 'IdentityN', inputs: returned, attributes: new Map() });
  };
  for (const node of message.node) add(node, null, 0);
  return graph;
}

const returnOf = ({ ret }: FunctionMessage, name: string): string =>
  Object.hasOwn(ret, name) ? (ret[name] ?? '') : '';

interface Scope {
  prefix: string;
  /** What the arguments of the function are where it is called. */
  arguments: ReadonlyMap<string, string>;
}

function scopeOf(prefix: string, { signature }: FunctionMessage, inputs: readonly string[]): Scope {
  const names = (signature?.inputArg ?? []).map(({ name = '' }) => name);
  if (names.length !== inputs.length)
    throw damaged(`${prefix} gives ${inputs.length} arguments to ${names.length}`);
  return { prefix, arguments: new Map(names.map((name, i) => [name, inputs[i] ?? ''])) };
}

/** Inside of a function an input is `argument` or `node:name of the output:number`. */
function resolved(input: string, scope: Scope | null): string {
  if (scope === null) return input;
  const argument = scope.arguments.get(input);
  if (argument !== undefined) return argument;
  const [node = '', ...rest] = input.split(':');
  return `${scope.prefix}/${node}:${rest.at(-1) ?? '0'}`;
}

function attributesOf(
  node: NodeMessage,
  weight: TfTensor | undefined,
  budget: Budget,
): Map<string, TfAttribute> {
  const attributes = new Map<string, TfAttribute>();
  for (const [name, attr] of Object.entries(node.attr)) {
    // A weight that stands elsewhere has nothing here but its shape.
    if (attr.tensor && weight) attributes.set(name, { tensor: weight });
    else attributes.set(name, attributeOf(attr, node.name ?? '', budget));
  }
  return attributes;
}

function attributeOf(attr: AttrMessage, name: string, budget: Budget): TfAttribute {
  const { list, s, i, f, b, type, shape, tensor, func } = attr;
  return {
    ...(s && { text: latin(s) }),
    ...(list && { ints: list.i, texts: list.s.map(latin) }),
    ...(i !== undefined && { int: i }),
    ...(f !== undefined && { float: f }),
    ...(b !== undefined && { flag: b }),
    ...(type !== undefined && { type }),
    ...(shape && { shape: shapeOf(shape) }),
    ...(tensor && tensor.dtype !== 'DT_STRING' && { tensor: tensorOf(tensor, name, budget) }),
    ...(func?.name !== undefined && { function: func.name }),
  };
}

const latin = (bytes: Uint8Array): string => new TextDecoder('latin1').decode(bytes);

function shapeOf({ dim, unknownRank }: ShapeMessage): (number | null)[] | null {
  if (unknownRank === true) return null;
  return dim.map(({ size = 0 }) => (size > 0 ? size : null));
}

/** How the bytes of a type are read. */
const stored: Readonly<Record<string, { bytes: number; read: (view: DataView, at: number) => number }>> = {
  DT_FLOAT: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  DT_DOUBLE: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
  DT_INT32: { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  DT_INT64: { bytes: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  DT_UINT8: { bytes: 1, read: (view, at) => view.getUint8(at) },
  DT_INT8: { bytes: 1, read: (view, at) => view.getInt8(at) },
  DT_BOOL: { bytes: 1, read: (view, at) => view.getUint8(at) },
  DT_HALF: { bytes: 2, read: (view, at) => halfToNumber(view.getUint16(at, true)) },
};
const FLOATS = new Set(['DT_FLOAT', 'DT_DOUBLE', 'DT_HALF']);

function tensorOf(tensor: TensorMessage, name: string, budget: Budget): TfTensor {
  const { dtype, tensorContent: content = new Uint8Array() } = tensor;
  const shape = (tensor.tensorShape?.dim ?? []).map(({ size = 0 }) => size);
  if (shape.some((size) => !Number.isInteger(size) || size < 0))
    throw damaged(`the tensor ${name} has an open size`);
  const how = stored[dtype];
  if (how === undefined) throw damaged(`the tensor ${name} is of the type ${dtype}, which is not read`);
  const isFloat = FLOATS.has(dtype);
  const count = budget.take(shape, isFloat);
  if (content.length > 0 && content.length !== count * how.bytes)
    throw damaged(`the tensor ${name} has ${content.length} bytes for [${shape.join(', ')}] of ${dtype}`);
  const data = isFloat ? new Float32Array(count) : new Float64Array(count);
  if (content.length > 0) {
    const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
    for (let i = 0; i < count; i++) data[i] = how.read(view, i * how.bytes);
    return { shape, isFloat, data };
  }
  const values = valuesOf(tensor);
  if (values.length > count)
    throw damaged(`the tensor ${name} has ${values.length} numbers for [${shape.join(', ')}]`);
  // The last one stands for all that are left; none at all is zero.
  data.fill(values.at(-1) ?? 0);
  data.set(values);
  return { shape, isFloat, data };
}

function valuesOf({ floatVal, doubleVal, intVal, int64Val, boolVal, halfVal }: TensorMessage): number[] {
  const lists = [floatVal, doubleVal, intVal, int64Val, boolVal.map(Number), halfVal.map(halfToNumber)];
  return lists.find((list) => list.length > 0) ?? [];
}

function halfToNumber(bits: number): number {
  return float16ToFloat32(Uint16Array.of(bits))[0] ?? NaN;
}
