import protobuf from 'protobufjs/minimal.js';

/** Which fields of a message lead to tensors, by protobuf field number (onnx.proto). */
type Children = ReadonlyMap<number, MessageName>;
type MessageName = 'model' | 'training' | 'function' | 'graph' | 'node' | 'attribute' | 'sparse' | 'tensor';

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
};
const EXTERNAL_DATA_FIELD = 13;
const DATA_LOCATION_FIELD = 14;
const LENGTH_DELIMITED = 2;
/** Graphs nest through the bodies of If and Loop; no honest model goes near this. */
const MAX_DEPTH = 64;

/**
 * Tells whether any tensor of a serialised ONNX model, in the graph, its subgraphs, functions or attributes, is
 * stored outside the file (`TensorProto.external_data`, `data_location = EXTERNAL`). Such a model could make ONNX
 * Runtime read any file on the machine. Weights are skipped over, not copied.
 * @throws Error when the bytes are not protobuf, hold no graph, or nest too deeply.
 */
export function referencesExternalData(model: Uint8Array): boolean {
  const state = { graphs: 0 };
  const external = scan(protobuf.Reader.create(model), model.length, 'model', 0, state);
  if (state.graphs === 0) throw new Error('no graph in the model');
  return external;
}

function scan(
  reader: protobuf.Reader,
  end: number,
  name: MessageName,
  depth: number,
  state: { graphs: number },
): boolean {
  if (depth > MAX_DEPTH) throw new Error('the model nests too deeply');
  if (end > reader.len) throw new Error('the model ends early');
  if (name === 'graph') state.graphs += 1;
  let external = false;
  while (reader.pos < end) {
    const tag = reader.uint32();
    const field = tag >>> 3;
    const wireType = tag & 7;
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
