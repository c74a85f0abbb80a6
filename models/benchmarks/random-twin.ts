import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import protobuf from 'protobufjs/minimal.js';
import { elementTypes } from '../onnx/proto.ts';
import type { GraphName, Pack } from '../packs/index.ts';
import { Random } from '../numerics/random.ts';

/** Graphs whose weights are learned; front-ends hold fixed transforms that an untrained pack has, too. */
const LEARNED: readonly GraphName[] = ['encoder', 'summary', 'denoiser', 'decoder'];
const SMALLEST_MATRIX = 1024;
/** Bytes per entry of the element types that weights come in; packs of reduced precision have all of them. */
const WEIGHT_BYTES: ReadonlyMap<number, number> = new Map([
  [elementTypes.float32, 4],
  [elementTypes.float16, 2],
  [elementTypes.int8, 1],
]);

/**
 * Writes a copy of a pack into `folder` in which the entries of every weight matrix are shuffled: same architecture and
 * same distribution of weights, nothing learned. @returns the folder
 */
export async function writeShuffledTwin(pack: Pack, folder: string, seed: number): Promise<string> {
  await mkdir(folder, { recursive: true });
  // Not its id with something behind it, which could be longer than an id may be.
  const manifest = { ...structuredClone(pack.manifest), id: 'random-twin' };
  for (const [name, entry] of Object.entries(manifest.graphs)) {
    if (!entry) continue;
    const bytes = await readFile(join(pack.folder, entry.file));
    if (LEARNED.some((learned) => learned === name)) shuffleWeights(bytes, new Random(seed));
    entry.sha256 = createHash('sha256').update(bytes).digest('hex');
    await writeFile(join(folder, entry.file), bytes);
  }
  await writeFile(join(folder, 'pack.json'), JSON.stringify(manifest));
  return folder;
}

/** In place, on the serialised model: ModelProto.graph (7) → GraphProto.initializer (5) → TensorProto.raw_data (9). */
function shuffleWeights(model: Uint8Array, random: Random): void {
  for (const graph of fields(model, 7)) for (const tensor of fields(graph, 5)) shuffleTensor(tensor, random);
}

function shuffleTensor(tensor: Uint8Array, random: Random): void {
  const width = WEIGHT_BYTES.get(dataType(tensor));
  if (width === undefined) return;
  for (const raw of fields(tensor, 9)) {
    const count = raw.length / width;
    if (count < SMALLEST_MATRIX) continue;
    const spare = new Uint8Array(width);
    for (let i = count - 1; i > 0; i--) {
      const a = i * width;
      const b = random.integer(i + 1) * width;
      spare.set(raw.subarray(a, a + width));
      raw.copyWithin(a, b, b + width);
      raw.set(spare, b);
    }
  }
}

/** The length-delimited fields of a message with this number, as views of the same memory. */
function fields(message: Uint8Array, number: number): Uint8Array[] {
  const reader = protobuf.Reader.create(message);
  const found: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === number * 8 + 2) {
      const length = reader.uint32();
      found.push(message.subarray(reader.pos, reader.pos + length));
      reader.skip(length);
    } else reader.skipType(tag & 7);
  }
  return found;
}

function dataType(tensor: Uint8Array): number {
  const reader = protobuf.Reader.create(tensor);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === 2 * 8) return reader.int32();
    reader.skipType(tag & 7);
  }
  return 0;
}
