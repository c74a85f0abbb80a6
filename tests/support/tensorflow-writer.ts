import protobuf from 'protobufjs/minimal.js';

/** An attribute as TensorFlow writes it. */
export type Attribute =
  | { s: string }
  | { i: number }
  | { f: number }
  | { b: boolean }
  | { type: keyof typeof types }
  | { ints: readonly number[] }
  | { texts: readonly string[] }
  | { shape: readonly number[] | null }
  | { tensor: Tensor }
  | { func: string };
export interface Tensor {
  type: 'DT_FLOAT' | 'DT_INT32';
  shape: readonly number[];
  data: readonly number[] | Float32Array;
  /** Number by number, as TensorFlow writes a few of them; else as bytes. */
  listed?: boolean;
}
export interface Node {
  name: string;
  op: string;
  inputs: readonly string[];
  attributes: Readonly<Record<string, Attribute>>;
}
export interface Func {
  name: string;
  arguments: readonly string[];
  /** Name of each result, and where it comes from: `node:output:number`. */
  results: Readonly<Record<string, string>>;
  nodes: readonly Node[];
}

const types = { DT_FLOAT: 1, DT_INT32: 3 } as const;
const field = (number: number, wire: 0 | 1 | 2 | 5) => (number << 3) | wire;
type Writer = protobuf.Writer;

function message(writer: Writer, number: number, write: (inner: Writer) => void): void {
  writer.uint32(field(number, 2)).fork();
  write(writer);
  writer.ldelim();
}
const text = (writer: Writer, number: number, value: string) => writer.uint32(field(number, 2)).string(value);
const bytes = (writer: Writer, number: number, value: Uint8Array) =>
  writer.uint32(field(number, 2)).bytes(value);

function writeShape(writer: Writer, shape: readonly number[] | null): void {
  if (shape === null) writer.uint32(field(3, 0)).bool(true);
  else for (const size of shape) message(writer, 2, (dim) => dim.uint32(field(1, 0)).int64(size));
}

/** Little-endian bytes of a tensor. */
export function contentOf({ type, data }: Tensor): Uint8Array {
  const array = type === 'DT_FLOAT' ? Float32Array.from(data) : Int32Array.from(data);
  return new Uint8Array(array.buffer);
}

function writeAttribute(writer: Writer, attribute: Attribute): void {
  if ('ints' in attribute)
    message(writer, 1, (list) => {
      list.uint32(field(3, 2)).fork();
      for (const value of attribute.ints) list.int64(value);
      list.ldelim();
    });
  else if ('texts' in attribute)
    message(writer, 1, (list) => attribute.texts.forEach((s) => text(list, 2, s)));
  else if ('s' in attribute) text(writer, 2, attribute.s);
  else if ('i' in attribute) writer.uint32(field(3, 0)).int64(attribute.i);
  else if ('f' in attribute) writer.uint32(field(4, 5)).float(attribute.f);
  else if ('b' in attribute) writer.uint32(field(5, 0)).bool(attribute.b);
  else if ('type' in attribute) writer.uint32(field(6, 0)).int32(types[attribute.type]);
  else if ('shape' in attribute) message(writer, 7, (shape) => writeShape(shape, attribute.shape));
  else if ('func' in attribute) message(writer, 10, (func) => text(func, 1, attribute.func));
  else
    message(writer, 8, (tensor) => {
      tensor.uint32(field(1, 0)).int32(types[attribute.tensor.type]);
      message(tensor, 2, (shape) => writeShape(shape, attribute.tensor.shape));
      if (attribute.tensor.listed !== true) bytes(tensor, 4, contentOf(attribute.tensor));
      else {
        const isFloat = attribute.tensor.type === 'DT_FLOAT';
        tensor.uint32(field(isFloat ? 5 : 7, 2)).fork();
        for (const value of attribute.tensor.data)
          if (isFloat) tensor.float(value);
          else tensor.int32(value);
        tensor.ldelim();
      }
    });
}

function writeNode(writer: Writer, { name, op, inputs, attributes }: Node): void {
  text(writer, 1, name);
  text(writer, 2, op);
  for (const input of inputs) text(writer, 3, input);
  for (const [key, attribute] of Object.entries(attributes))
    message(writer, 5, (entry) => {
      text(entry, 1, key);
      message(entry, 2, (value) => writeAttribute(value, attribute));
    });
}

/** A frozen graph, by the field numbers of TensorFlow's own messages. */
export function frozenGraph(nodes: readonly Node[], functions: readonly Func[] = []): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const node of nodes) message(writer, 1, (inner) => writeNode(inner, node));
  if (functions.length > 0)
    message(writer, 2, (library) => {
      for (const func of functions)
        message(library, 1, (inner) => {
          message(inner, 1, (signature) => {
            text(signature, 1, func.name);
            for (const name of func.arguments) message(signature, 2, (arg) => text(arg, 1, name));
            for (const name of Object.keys(func.results)) message(signature, 3, (arg) => text(arg, 1, name));
          });
          for (const node of func.nodes) message(inner, 3, (each) => writeNode(each, node));
          for (const [name, from] of Object.entries(func.results))
            message(inner, 4, (entry) => {
              text(entry, 1, name);
              text(entry, 2, from);
            });
        });
    });
  // Producer and consumer versions, as every file has them.
  message(writer, 4, (versions) => versions.uint32(field(1, 0)).int32(987));
  return writer.finish();
}

/** The same graph as TensorFlow.js keeps it: `model.json` and one file of weights. */
export function tfjsModel(nodes: readonly Node[]): { json: Record<string, unknown>; weights: Uint8Array } {
  const weights: { name: string; shape: readonly number[]; dtype: string }[] = [];
  const parts: Uint8Array[] = [];
  const shapeJson = (shape: readonly number[] | null) =>
    shape === null ? { unknownRank: true } : { dim: shape.map((size) => ({ size: String(size) })) };
  const base64 = (value: string) => Buffer.from(value).toString('base64');
  const attributeJson = (attribute: Attribute, name: string): unknown => {
    if ('ints' in attribute) return { list: { i: attribute.ints.map(String) } };
    if ('texts' in attribute) return { list: { s: attribute.texts.map(base64) } };
    if ('s' in attribute) return { s: base64(attribute.s) };
    if ('i' in attribute) return { i: String(attribute.i) };
    if ('shape' in attribute) return { shape: shapeJson(attribute.shape) };
    if (!('tensor' in attribute)) return attribute;
    const { tensor } = attribute;
    weights.push({ name, shape: tensor.shape, dtype: tensor.type === 'DT_FLOAT' ? 'float32' : 'int32' });
    parts.push(contentOf(tensor));
    return { tensor: { dtype: tensor.type, tensorShape: shapeJson(tensor.shape) } };
  };
  const node = nodes.map(({ name, op, inputs, attributes }) => ({
    name,
    op,
    input: inputs,
    attr: Object.fromEntries(
      Object.entries(attributes).map(([key, value]) => [key, attributeJson(value, name)]),
    ),
  }));
  return {
    json: {
      format: 'graph-model',
      modelTopology: { node, versions: { producer: 987 } },
      weightsManifest: [{ paths: ['group1-shard1of1.bin'], weights }],
    },
    weights: Buffer.concat(parts),
  };
}
