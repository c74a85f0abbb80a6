import protobuf from 'protobufjs/minimal.js';

type MessageName =
  'graph' | 'library' | 'function' | 'node' | 'entry' | 'attribute' | 'list' | 'tensor' | 'shape';

/** Which fields of a message are messages, by their numbers. */
const children: Readonly<Record<MessageName, ReadonlyMap<number, MessageName>>> = {
  graph: new Map([
    [1, 'node'],
    [2, 'library'],
  ]),
  library: new Map([[1, 'function']]),
  function: new Map([[3, 'node']]),
  node: new Map([[5, 'entry']]),
  entry: new Map([[2, 'attribute']]),
  attribute: new Map([
    [1, 'list'],
    [7, 'shape'],
    [8, 'tensor'],
  ]),
  list: new Map(),
  tensor: new Map([[2, 'shape']]),
  shape: new Map(),
};
/** Fields that hold many numbers, of which each takes more room than in the file. */
const packed: Partial<Record<MessageName, ReadonlySet<number>>> = {
  list: new Set([3, 4]),
  tensor: new Set([5, 6, 7, 10, 11, 13]),
};
const LENGTH_DELIMITED = 2;
/** A part takes some hundred bytes once it is read; a network has some ten for each of its nodes. */
export const MOST_PARTS = 2 ** 22;
const PACKED_PER_PART = 8;

/**
 * How many messages and values reading a GraphDef would make, without making them: two bytes of a file can stand for one.
 * @returns more than `MOST_PARTS` as soon as that is clear
 * @throws Error when the bytes are not protobuf
 */
export function partsOf(bytes: Uint8Array): number {
  const reader = protobuf.Reader.create(bytes);
  let count = 0;
  const visit = (end: number, name: MessageName): void => {
    if (end > reader.len) throw new Error('the graph ends early');
    while (reader.pos < end && count <= MOST_PARTS) {
      const tag = reader.uint32();
      const [field, wireType] = [tag >>> 3, tag & 7];
      count += 1;
      if (wireType !== LENGTH_DELIMITED) {
        reader.skipType(wireType);
        continue;
      }
      const length = reader.uint32();
      const child = children[name].get(field);
      if (child !== undefined) visit(reader.pos + length, child);
      else {
        if (packed[name]?.has(field) === true) count += length / PACKED_PER_PART;
        reader.skip(length);
      }
    }
  };
  visit(bytes.length, 'graph');
  return count;
}
