import protobuf from 'protobufjs/minimal.js';

/** Which fields of a message lead to tensors, or to many parts, by protobuf field number (onnx.proto). */
type Children = ReadonlyMap<number, MessageName>;
type MessageName =
  | 'model'
  | 'training'
  | 'function'
  | 'graph'
  | 'node'
  | 'attribute'
  | 'sparse'
  | 'tensor'
  | 'value'
  | 'type'
  | 'tensorType'
  | 'shape';

const children: Record<Exclude<MessageName, 'tensor'>, Children> = {
  model: new Map([
    [7, 'graph'],
    [20, 'training'],
    [25, 'function'],
  ]),
  training: new Map([
    [1, 'graph'],
    [2, 'graph'],
  ]),
  function: new Map([
    [7, 'node'],
    [11, 'attribute'],
  ]),
  graph: new Map([
    [1, 'node'],
    [5, 'tensor'],
    [11, 'value'],
    [12, 'value'],
    [15, 'sparse'],
  ]),
  node: new Map([[5, 'attribute']]),
  attribute: new Map([
    [5, 'tensor'],
    [6, 'graph'],
    [10, 'tensor'],
    [11, 'graph'],
    [22, 'sparse'],
    [23, 'sparse'],
  ]),
  sparse: new Map([
    [1, 'tensor'],
    [2, 'tensor'],
  ]),
  value: new Map([[2, 'type']]),
  type: new Map([[1, 'tensorType']]),
  tensorType: new Map([[2, 'shape']]),
  shape: new Map(),
};
/** Fields that hold many numbers, of which each takes more room than in the file. */
const packed: Partial<Record<MessageName, ReadonlySet<number>>> = {
  attribute: new Set([7, 8]),
  tensor: new Set([1]),
};
const EXTERNAL_DATA_FIELD = 13;
const DATA_LOCATION_FIELD = 14;
const LENGTH_DELIMITED = 2;
/** Graphs nest through the bodies of If and Loop; no honest model goes near this. */
const MAX_DEPTH = 64;
/** A part takes some hundred bytes once it is read; a network has some ten for each of its nodes. */
const MOST_PARTS = 2 ** 22;
const PACKED_PER_PART = 8;

/**
 * Tells whether any tensor of a serialised ONNX model, in the graph, its subgraphs, functions or attributes, is
 * stored outside the file (`TensorProto.external_data`, `data_location = EXTERNAL`). Such a model could make ONNX
 * Runtime read any file on the machine. Weights are skipped over, not copied.
 * @throws Error when the bytes are not protobuf, hold no graph, nest too deeply, or would make more parts than any network has.
 */
export function referencesExternalData(model: Uint8Array): boolean {
  const state: Found = { graphs: 0, parts: 0 };
  const external = scan(protobuf.Reader.create(model), model.length, 'model', 0, state);
  if (state.graphs === 0) throw new Error('no graph in the model');
  return external;
}

/** What was met on the way. */
interface Found {
  graphs: number;
  /** Messages and values that reading the whole would make: two bytes can stand for one. */
  parts: number;
}

function scan(reader: protobuf.Reader, end: number, name: MessageName, depth: number, state: Found): boolean {
  if (depth > MAX_DEPTH) throw new Error('the model nests too deeply');
  if (end > reader.len) throw new Error('the model ends early');
  if (name === 'graph') state.graphs += 1;
  let external = false;
  while (reader.pos < end) {
    const tag = reader.uint32();
    const field = tag >>> 3;
    const wireType = tag & 7;
    state.parts += 1;
    if (state.parts > MOST_PARTS) throw new Error('the model has more parts than any network');
    if (wireType === LENGTH_DELIMITED && packed[name]?.has(field) === true) {
      const length = reader.uint32();
      state.parts += length / PACKED_PER_PART;
      reader.skip(length);
      continue;
    }
    if (name === 'tensor') {
      if (field === EXTERNAL_DATA_FIELD) external = true;
      if (field === DATA_LOCATION_FIELD && wireType === 0) {
        if (reader.int32() !== 0) external = true;
        continue;
      }
    } else {
      const child = children[name].get(field);
      if (child !== undefined && wireType === LENGTH_DELIMITED) {
        const length = reader.uint32();
        if (scan(reader, reader.pos + length, child, depth + 1, state)) external = true;
        continue;
      }
    }
    reader.skipType(wireType);
  }
  if (reader.pos !== end) throw new Error('a field runs past its message');
  return external;
}
