import protobuf from 'protobufjs/light.js';

/** A field with a value for each name. */
function mapOf(type: string, id: number): protobuf.IField {
  const field: protobuf.IMapField = { keyType: 'string', type, id };
  return field;
}

/**
 * The part of TensorFlow's GraphDef that is read (graph.proto, node_def.proto, attr_value.proto, tensor.proto, function.proto;
 * Apache-2.0), as a protobufjs JSON descriptor. TensorFlow.js keeps the same messages as JSON. What is left out is skipped, so
 * that nothing nests: a message goes six deep at most.
 */
const descriptor: protobuf.INamespace = {
  nested: {
    DataType: {
      values: {
        ...{ DT_INVALID: 0, DT_FLOAT: 1, DT_DOUBLE: 2, DT_INT32: 3, DT_UINT8: 4, DT_INT16: 5, DT_INT8: 6 },
        ...{ DT_STRING: 7, DT_COMPLEX64: 8, DT_INT64: 9, DT_BOOL: 10, DT_BFLOAT16: 14, DT_RESOURCE: 20 },
        ...{ DT_HALF: 19, DT_VARIANT: 21 },
      },
    },
    Dim: { fields: { size: { type: 'int64', id: 1 } } },
    TensorShape: {
      fields: { dim: { rule: 'repeated', type: 'Dim', id: 2 }, unknownRank: { type: 'bool', id: 3 } },
    },
    Tensor: {
      fields: {
        dtype: { type: 'DataType', id: 1 },
        tensorShape: { type: 'TensorShape', id: 2 },
        tensorContent: { type: 'bytes', id: 4 },
        floatVal: { rule: 'repeated', type: 'float', id: 5 },
        doubleVal: { rule: 'repeated', type: 'double', id: 6 },
        intVal: { rule: 'repeated', type: 'int32', id: 7 },
        int64Val: { rule: 'repeated', type: 'int64', id: 10 },
        boolVal: { rule: 'repeated', type: 'bool', id: 11 },
        halfVal: { rule: 'repeated', type: 'int32', id: 13 },
      },
    },
    Func: { fields: { name: { type: 'string', id: 1 } } },
    List: {
      fields: {
        s: { rule: 'repeated', type: 'bytes', id: 2 },
        i: { rule: 'repeated', type: 'int64', id: 3 },
        f: { rule: 'repeated', type: 'float', id: 4 },
      },
    },
    Attr: {
      // One of these is there, also where it is zero.
      oneofs: {
        value: { oneof: ['list', 's', 'i', 'f', 'b', 'type', 'shape', 'tensor', 'func'] },
      },
      fields: {
        list: { type: 'List', id: 1 },
        s: { type: 'bytes', id: 2 },
        i: { type: 'int64', id: 3 },
        f: { type: 'float', id: 4 },
        b: { type: 'bool', id: 5 },
        type: { type: 'DataType', id: 6 },
        shape: { type: 'TensorShape', id: 7 },
        tensor: { type: 'Tensor', id: 8 },
        func: { type: 'Func', id: 10 },
      },
    },
    Node: {
      fields: {
        name: { type: 'string', id: 1 },
        op: { type: 'string', id: 2 },
        input: { rule: 'repeated', type: 'string', id: 3 },
        attr: mapOf('Attr', 5),
      },
    },
    Arg: { fields: { name: { type: 'string', id: 1 } } },
    Signature: {
      fields: {
        name: { type: 'string', id: 1 },
        inputArg: { rule: 'repeated', type: 'Arg', id: 2 },
        outputArg: { rule: 'repeated', type: 'Arg', id: 3 },
      },
    },
    Function: {
      fields: {
        signature: { type: 'Signature', id: 1 },
        nodeDef: { rule: 'repeated', type: 'Node', id: 3 },
        ret: mapOf('string', 4),
      },
    },
    Library: { fields: { function: { rule: 'repeated', type: 'Function', id: 1 } } },
    Graph: {
      fields: {
        node: { rule: 'repeated', type: 'Node', id: 1 },
        library: { type: 'Library', id: 2 },
      },
    },
  },
};

export interface TensorMessage {
  dtype: string;
  tensorShape?: ShapeMessage;
  /** Left out where the numbers are listed instead, as TensorFlow does with a few of them. */
  tensorContent?: Uint8Array;
  floatVal: number[];
  doubleVal: number[];
  intVal: number[];
  int64Val: number[];
  boolVal: boolean[];
  halfVal: number[];
}
export interface ShapeMessage {
  dim: { size?: number }[];
  unknownRank?: boolean;
}
export interface AttrMessage {
  list?: { s: Uint8Array[]; i: number[]; f: number[] };
  s?: Uint8Array;
  i?: number;
  f?: number;
  b?: boolean;
  type?: string;
  shape?: ShapeMessage;
  tensor?: TensorMessage;
  func?: { name?: string };
}
export interface NodeMessage {
  name?: string;
  op?: string;
  input: string[];
  attr: Record<string, AttrMessage>;
}
export interface FunctionMessage {
  signature?: { name?: string; inputArg: { name?: string }[]; outputArg: { name?: string }[] };
  nodeDef: NodeMessage[];
  ret: Record<string, string>;
}
export interface GraphMessage {
  node: NodeMessage[];
  library?: { function: FunctionMessage[] };
}

const graphType = protobuf.Root.fromJSON(descriptor).lookupType('Graph');
const plain = { longs: Number, enums: String, arrays: true, objects: true } as const;

/** Reads a frozen graph. @throws Error when the bytes are no GraphDef */
export function decodeGraph(bytes: Uint8Array): GraphMessage {
  return graphType.toObject(graphType.decode(bytes), plain) as GraphMessage;
}

/** Reads the topology of a TensorFlow.js model. @throws Error when it does not have the form of a GraphDef */
export function graphOfJson(topology: Record<string, unknown>): GraphMessage {
  return graphType.toObject(graphType.fromObject(topology), plain) as GraphMessage;
}
