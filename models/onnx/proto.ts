import protobuf from 'protobufjs/light.js';

/**
 * The part of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, Apache-2.0) that Archetone writes
 * and reads, as a protobufjs JSON descriptor. Fields left out here are skipped when reading, as protobuf demands.
 */
const descriptor: protobuf.INamespace = {
  nested: {
    OperatorSetId: {
      fields: { domain: { type: 'string', id: 1 }, version: { type: 'int64', id: 2 } },
    },
    StringStringEntry: {
      fields: { key: { type: 'string', id: 1 }, value: { type: 'string', id: 2 } },
    },
    Dimension: {
      oneofs: { value: { oneof: ['dimValue', 'dimParam'] } },
      fields: { dimValue: { type: 'int64', id: 1 }, dimParam: { type: 'string', id: 2 } },
    },
    TensorShape: { fields: { dim: { rule: 'repeated', type: 'Dimension', id: 1 } } },
    TensorType: {
      fields: { elemType: { type: 'int32', id: 1 }, shape: { type: 'TensorShape', id: 2 } },
    },
    TypeProto: { fields: { tensorType: { type: 'TensorType', id: 1 } } },
    ValueInfo: {
      fields: { name: { type: 'string', id: 1 }, type: { type: 'TypeProto', id: 2 } },
    },
    Tensor: {
      fields: {
        dims: { rule: 'repeated', type: 'int64', id: 1 },
        dataType: { type: 'int32', id: 2 },
        name: { type: 'string', id: 8 },
        rawData: { type: 'bytes', id: 9 },
        externalData: { rule: 'repeated', type: 'StringStringEntry', id: 13 },
        dataLocation: { type: 'int32', id: 14 },
      },
    },
    Attribute: {
      fields: {
        name: { type: 'string', id: 1 },
        f: { type: 'float', id: 2 },
        i: { type: 'int64', id: 3 },
        s: { type: 'bytes', id: 4 },
        t: { type: 'Tensor', id: 5 },
        g: { type: 'Graph', id: 6 },
        floats: { rule: 'repeated', type: 'float', id: 7 },
        ints: { rule: 'repeated', type: 'int64', id: 8 },
        strings: { rule: 'repeated', type: 'bytes', id: 9 },
        tensors: { rule: 'repeated', type: 'Tensor', id: 10 },
        graphs: { rule: 'repeated', type: 'Graph', id: 11 },
        type: { type: 'int32', id: 20 },
      },
    },
    Node: {
      fields: {
        input: { rule: 'repeated', type: 'string', id: 1 },
        output: { rule: 'repeated', type: 'string', id: 2 },
        name: { type: 'string', id: 3 },
        opType: { type: 'string', id: 4 },
        attribute: { rule: 'repeated', type: 'Attribute', id: 5 },
        domain: { type: 'string', id: 7 },
      },
    },
    Graph: {
      fields: {
        node: { rule: 'repeated', type: 'Node', id: 1 },
        name: { type: 'string', id: 2 },
        initializer: { rule: 'repeated', type: 'Tensor', id: 5 },
        input: { rule: 'repeated', type: 'ValueInfo', id: 11 },
        output: { rule: 'repeated', type: 'ValueInfo', id: 12 },
      },
    },
    Model: {
      fields: {
        irVersion: { type: 'int64', id: 1 },
        producerName: { type: 'string', id: 2 },
        graph: { type: 'Graph', id: 7 },
        opsetImport: { rule: 'repeated', type: 'OperatorSetId', id: 8 },
      },
    },
  },
};

/** TensorProto.DataType codes of the element types in use. */
export const elementTypes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
} as const;
/** Element type of a tensor, in Archetone's spelling. */
export type ElementType = keyof typeof elementTypes;

/** AttributeProto.AttributeType codes of the attribute kinds in use. */
export const attributeTypes = { float: 1, int: 2, string: 3, ints: 7, strings: 8 } as const;

/** One dimension: a size, or the name of a size known only at run time. */
export type Dimension = number | string;

interface DimensionMessage {
  dimValue?: number;
  dimParam?: string;
}
/** A graph input or output. */
export interface ValueInfoMessage {
  name: string;
  type: { tensorType: { elemType: number; shape: { dim: DimensionMessage[] } } };
}
/** An initialiser. */
export interface TensorMessage {
  dims: number[];
  dataType: number;
  name: string;
  rawData: Uint8Array;
}
/** An attribute of a node. */
export interface AttributeMessage {
  name: string;
  type: number;
  f?: number;
  i?: number;
  s?: Uint8Array;
  t?: TensorMessage;
  ints?: number[];
  strings?: Uint8Array[];
}
/** One operator call. */
export interface NodeMessage {
  input: string[];
  output: string[];
  name: string;
  opType: string;
  attribute: AttributeMessage[];
  /** Empty or absent for ONNX's own operators. */
  domain?: string;
}
/** A whole model. */
export interface ModelMessage {
  irVersion: number;
  producerName: string;
  graph: {
    node: NodeMessage[];
    name: string;
    initializer: TensorMessage[];
    input: ValueInfoMessage[];
    output: ValueInfoMessage[];
  };
  opsetImport: { domain: string; version: number }[];
}

const modelType = protobuf.Root.fromJSON(descriptor).lookupType('Model');

/**
 * Serialises a model. Fields are written in the order of their protobuf ids, so equal messages give equal bytes.
 * @throws Error when the message does not fit the schema.
 */
export function encodeModel(model: ModelMessage): Uint8Array {
  const problem = modelType.verify(model);
  if (problem !== null) throw new Error(`not an ONNX model: ${problem}`);
  return modelType.encode(modelType.fromObject(model)).finish();
}

/**
 * Parses the part of an ONNX model that the schema above covers; numbers come back as JavaScript numbers.
 * @throws Error when the bytes are not protobuf.
 */
export function decodeModel(bytes: Uint8Array): ModelMessage {
  return modelType.toObject(modelType.decode(bytes), {
    longs: Number,
    arrays: true,
    objects: true,
    defaults: true,
  }) as ModelMessage;
}

/**
 * Parses a model so that it can be changed and written again with {@link encodeModel}: what the bytes do not hold stays
 * absent, because ONNX tells an absent field from a zero one. Data are views into `bytes`.
 * @throws Error when the bytes are not protobuf.
 */
export function parseModel(bytes: Uint8Array): ModelMessage {
  return modelType.toObject(modelType.decode(bytes), { longs: Number, arrays: true }) as ModelMessage;
}
