import protobuf from 'protobufjs/minimal.js';
import { CheckpointError } from '../checkpoint/errors.ts';
import { elementTypes, parseModel, type ModelMessage, type NodeMessage } from './proto.ts';

/** What of a transformer over patches of a spectrogram is computed. */
export interface PatchOut {
  /** Of the times of the patches every so many-th is kept; 1 keeps all. */
  every: number;
  /** Outputs that are read; what only others need is taken out. */
  outputs: readonly string[];
}

const KEPT = 'archetone.kept_times';
const TAKEN = 'archetone.patched_out';
/** Fields of ONNX's messages. */
const GRAPH = 7;
const [NODE, INITIALIZER, OUTPUT, VALUE_INFO] = [1, 5, 12, 13];

/** Where tokens are taken out: a value of the graph, the axis of time, and which times stay. */
interface Place {
  value: string;
  axis: number;
  kept: number[];
}

/**
 * Leaves times out of a transformer over patches such as MAEST, after their positions were added and before they become
 * tokens, so that every other number stays what it was (patch-out at inference). What the wanted outputs do not need is taken
 * out, too, such as the blocks behind the one that is read. Weights are copied as they are.
 * @throws CheckpointError `unsupported` where the graph has no such place
 */
export function patchedOut(model: Uint8Array, { every, outputs }: PatchOut): Uint8Array {
  const { graph } = parseModel(model);
  const place = every === 1 ? null : placeIn(graph, every);
  const needed = whatIsNeeded(graph, outputs);
  const parts: Uint8Array[] = [];
  let [node, initializer] = [0, 0];
  for (const { number, raw, body } of fieldsOf(
    fieldsOf(model).find((field) => field.number === GRAPH)?.body,
  )) {
    if (number === NODE) {
      const message = graph.node[node++];
      if (message === undefined || !needed.has(message.output[0] ?? '')) continue;
      parts.push(field(NODE, place === null ? body : rewired(body, place)));
      // Behind the node that makes its input, and before those that take it.
      if (place !== null && message.output.includes(place.value)) parts.push(field(NODE, gatherNode(place)));
    } else if (number === INITIALIZER) {
      if (needed.has(graph.initializer[initializer++]?.name ?? '')) parts.push(raw);
    } else if (number !== OUTPUT && number !== VALUE_INFO) parts.push(raw);
  }
  if (place !== null) parts.push(field(INITIALIZER, keptTensor(place.kept)));
  // Without sizes: those that were worked out before are not true any more.
  for (const name of outputs) parts.push(field(OUTPUT, floatInfo(name)));
  const whole = fieldsOf(model).map(({ number, raw }) =>
    number === GRAPH ? field(GRAPH, joined(parts)) : raw,
  );
  return joined(whole);
}

type Graph = ModelMessage['graph'];

/** Names of all values that lead to the outputs. Nodes with graphs inside may take values by name unseen. */
function whatIsNeeded(graph: Graph, outputs: readonly string[]): ReadonlySet<string> {
  if (graph.node.some(({ attribute }) => attribute.some((each) => 'g' in each)))
    throw unfit('has loops or branches');
  const maker = new Map(graph.node.flatMap((node) => node.output.map((name) => [name, node] as const)));
  const needed = new Set<string>();
  const open = [...outputs];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (needed.has(name)) continue;
    needed.add(name);
    const node = maker.get(name);
    if (!node) continue;
    open.push(node.output[0] ?? '');
    for (const input of node.input) open.push(input);
  }
  return needed;
}

/** Behind the convolution that makes patches, once their positions in time and frequency were added. */
function placeIn(graph: Graph, every: number): Place {
  const dims = new Map(graph.initializer.map(({ name, dims: sizes }) => [name, sizes]));
  const convolutions = graph.node.filter(
    ({ opType, input }) => opType === 'Conv' && dims.get(input[1] ?? '')?.length === 4,
  );
  const [conv, second] = convolutions;
  if (conv === undefined || second !== undefined)
    throw unfit('is no transformer over patches of a spectrogram');
  let value = conv.output[0] ?? '';
  let times = 0;
  let axis = -1;
  for (let next = onlyAddTo(graph, value); next !== null; next = onlyAddTo(graph, value)) {
    const position = next.input.map((name) => dims.get(name)).find((sizes) => sizes?.length === 4);
    if (position === undefined) break;
    // Of the two last axes time is the longer one: a spectrogram has few bands.
    for (const at of [2, 3]) if ((position[at] ?? 0) > times) [times, axis] = [position[at] ?? 0, at];
    value = next.output[0] ?? '';
  }
  if (axis < 0) throw unfit('adds no positions to its patches before they become tokens');
  return { value, axis, kept: Array.from({ length: Math.ceil(times / every) }, (_, i) => i * every) };
}

function onlyAddTo({ node }: Graph, value: string): NodeMessage | null {
  const [taker, another] = node.filter(({ input }) => input.includes(value));
  return taker?.opType === 'Add' && another === undefined ? taker : null;
}

function unfit(why: string): CheckpointError {
  return new CheckpointError(
    'unsupported',
    `times cannot be left out of this graph: it ${why}`,
    'Add it without --keep-every.',
  );
}

interface Field {
  number: number;
  /** With its tag. */
  raw: Uint8Array;
  /** Of a message, without tag and length. */
  body: Uint8Array;
}

const LENGTH_DELIMITED = 2;

function fieldsOf(message: Uint8Array = new Uint8Array()): Field[] {
  const reader = protobuf.Reader.create(message);
  const fields: Field[] = [];
  while (reader.pos < reader.len) {
    const from = reader.pos;
    const key = reader.uint32();
    let body: Uint8Array = new Uint8Array();
    if ((key & 7) === LENGTH_DELIMITED) {
      const length = reader.uint32();
      body = message.subarray(reader.pos, reader.pos + length);
      reader.skip(length);
    } else reader.skipType(key & 7);
    fields.push({ number: key >>> 3, raw: message.subarray(from, reader.pos), body });
  }
  return fields;
}

function field(number: number, body: Uint8Array): Uint8Array {
  const head = protobuf.Writer.create()
    .uint32(number * 8 + LENGTH_DELIMITED)
    .uint32(body.length)
    .finish();
  return joined([head, body]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** A node that takes what is left where it took the whole. */
function rewired(node: Uint8Array, { value }: Place): Uint8Array {
  const parts = fieldsOf(node).map(({ number, raw, body }) =>
    number === 1 && new TextDecoder().decode(body) === value ? field(1, text(TAKEN)) : raw,
  );
  return joined(parts);
}

function gatherNode({ value, axis }: Place): Uint8Array {
  const int = protobuf.Writer.create()
    .uint32(3 * 8)
    .int64(axis)
    .uint32(20 * 8)
    .int32(2)
    .finish();
  return joined([
    field(1, text(value)),
    field(1, text(KEPT)),
    field(2, text(TAKEN)),
    field(3, text(TAKEN)),
    field(4, text('Gather')),
    field(5, joined([field(1, text('axis')), int])),
  ]);
}

function keptTensor(kept: readonly number[]): Uint8Array {
  const head = protobuf.Writer.create()
    .uint32(8)
    .int64(kept.length)
    .uint32(2 * 8)
    .int32(elementTypes.int64)
    .finish();
  const numbers = new Uint8Array(BigInt64Array.from(kept, BigInt).buffer);
  return joined([head, field(8, text(KEPT)), field(9, numbers)]);
}

function floatInfo(name: string): Uint8Array {
  const type = protobuf.Writer.create().uint32(8).int32(elementTypes.float32).finish();
  return joined([field(1, text(name)), field(2, field(1, type))]);
}
