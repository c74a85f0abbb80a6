import { createHash } from 'node:crypto';
import protobuf from 'protobufjs/minimal.js';
import { Random } from '../numerics/random.ts';
import { elementTypes } from '../onnx/proto.ts';
import { readGraph } from './graph-file.ts';
import type { GraphName, Pack, PackManifest } from './manifest.ts';
import type { PackFiles } from './pack-files.ts';

/** Graphs that make embeddings. */
const ENCODER: readonly GraphName[] = ['features', 'encoder', 'summary', 'embed', 'network', 'projection'];
/** Front-ends hold fixed transforms that an untrained pack has, too. */
const FIXED: readonly GraphName[] = ['features'];
const SMALLEST_MATRIX = 1024;
/** Entries of a weight matrix, as integers of their width. */
type Entries = Uint8Array | Uint16Array | Uint32Array;
/** By the element types that weights come in; packs of reduced precision have all of them. */
const entriesOfType = new Map<number, (bytes: ArrayBuffer) => Entries>([
  [elementTypes.float32, (bytes) => new Uint32Array(bytes)],
  [elementTypes.float16, (bytes) => new Uint16Array(bytes)],
  [elementTypes.int8, (bytes) => new Uint8Array(bytes)],
]);

/** Hashes of the shuffled graphs of a twin, by name. */
export type TwinHashes = Partial<Record<GraphName, string>>;

/**
 * The manifest of a pack that only makes embeddings, with the architecture and the distribution of weights of another and
 * nothing learned: what an encoder gives for its structure alone.
 * @param hashes of the graphs with shuffled weights; the others stay
 */
export function twinManifest({ manifest }: Pack, hashes: TwinHashes): PackManifest {
  const twin = shuffled(manifest, hashes);
  const { features, encoder, summary, embed, network, projection } = twin.graphs;
  delete twin.sampler;
  delete twin.phaseRetrieval;
  delete twin.levels;
  return {
    ...twin,
    kind: 'embedding-only',
    graphs: {
      ...(features && { features }),
      ...(encoder && { encoder }),
      ...(summary && { summary }),
      ...(embed && { embed }),
      ...(network && { network }),
      ...(projection && { projection }),
    },
    soundless: 'Nothing in it is learned, so that its vectors say nothing a decoder could know.',
  };
}

/**
 * The random twin of a pack: its encoder with the entries of every weight matrix shuffled.
 * @param seed any safe integer; the same seed gives the same bytes
 * @throws PackError when a graph of the pack cannot be read
 */
export async function randomTwin(pack: Pack, seed: number): Promise<PackFiles> {
  const { files, hashes } = await shuffledGraphs(pack, ENCODER, seed);
  return { manifest: twinManifest(pack, hashes), files };
}

/** A twin that sounds, too: the generative half is shuffled as well. @throws PackError when a graph cannot be read */
export async function soundingTwin(pack: Pack, seed: number): Promise<PackFiles> {
  const { files, hashes } = await shuffledGraphs(pack, [...ENCODER, 'denoiser', 'decoder'], seed);
  return { manifest: shuffled(pack.manifest, hashes), files };
}

function shuffled(manifest: PackManifest, hashes: TwinHashes): PackManifest {
  const copy = structuredClone(manifest);
  for (const [name, entry] of Object.entries(copy.graphs))
    if (entry) entry.sha256 = hashes[name as GraphName] ?? entry.sha256;
  return {
    ...copy,
    // Not its id with something behind it, which could be longer than an id may be.
    id: 'random-twin',
    title: `Random twin of ${manifest.title}`,
    trainingData: { statement: 'None: every weight matrix of the pack is shuffled.', hours: 0 },
    quality: {},
  };
}

async function shuffledGraphs(
  pack: Pack,
  names: readonly GraphName[],
  seed: number,
): Promise<{ files: Map<string, Uint8Array>; hashes: TwinHashes }> {
  const files = new Map<string, Uint8Array>();
  const hashes: TwinHashes = {};
  for (const name of names) {
    const entry = pack.manifest.graphs[name];
    if (!entry) continue;
    const bytes = Uint8Array.from(await readGraph(pack, name));
    if (!FIXED.includes(name)) shuffleWeights(bytes, new Random(seed));
    hashes[name] = createHash('sha256').update(bytes).digest('hex');
    files.set(entry.file, bytes);
  }
  return { files, hashes };
}

/** In place, on the serialised model: ModelProto.graph (7) → GraphProto.initializer (5) → TensorProto.raw_data (9). */
function shuffleWeights(model: Uint8Array, random: Random): void {
  for (const graph of fields(model, 7)) for (const tensor of fields(graph, 5)) shuffleTensor(tensor, random);
}

function shuffleTensor(tensor: Uint8Array, random: Random): void {
  const entriesOf = entriesOfType.get(dataType(tensor));
  if (!entriesOf) return;
  for (const raw of fields(tensor, 9)) {
    // A copy of its own: fields begin at any byte, entries at multiples of their width.
    const copy = raw.slice();
    const entries = entriesOf(copy.buffer);
    if (entries.length < SMALLEST_MATRIX) continue;
    shuffle(entries, random);
    raw.set(copy);
  }
}

/** Fisher–Yates, in place. */
function shuffle(entries: Entries, random: Random): void {
  for (let i = entries.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    const kept = entries[i] ?? 0;
    entries[i] = entries[j] ?? 0;
    entries[j] = kept;
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
