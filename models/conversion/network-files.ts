import { basename, dirname, extname, join } from 'node:path';
import type { NetworkCard } from '../backbones/network-card.ts';
import { headCard, isHeadCard, type HeadCard } from '../backbones/head-card.ts';
import { readCard } from '../backbones/read-card.ts';
import { CheckpointError } from '../checkpoint/index.ts';
import { FileReadError, readBounded } from '../files/read.ts';
import { readForeignModel } from '../onnx/foreign.ts';
import { MAX_GRAPH_BYTES } from '../packs/manifest.ts';
import { isTfjs, readFrozenGraph, readTfjs, tensorflowToOnnx, type TfRequest } from '../tensorflow/index.ts';
import { named } from './named.ts';
import type { NetworkModel } from './network-plan.ts';
import type { ConversionChoices } from './settings.ts';

/** A network and its JSON, read. */
export interface NetworkFiles {
  model: NetworkModel;
  card: NetworkCard;
  /** Every file that has a part in it. */
  files: { path: string; what: string }[];
}

/** A head and its JSON, read. */
export interface HeadFiles {
  model: NetworkModel;
  card: HeadCard;
  files: { path: string; what: string }[];
}

/** A network that was found among files, not read yet. */
interface FoundNetwork {
  path: string;
  /** Where its JSON is, unless another one is named. */
  card: string;
  read: (wanted: TfRequest) => Promise<ReadNetwork>;
}

interface ReadNetwork {
  onnx: Uint8Array;
  what: (opset: number) => string;
  /** Files of weights beside it. */
  weights: { path: string; what: string }[];
}

const MAX_JSON_BYTES = 32 * 1024 ** 2;

/**
 * Finds the networks among files: ONNX, a frozen TensorFlow graph, or a model of TensorFlow.js.
 */
async function findNetworks(paths: readonly string[]): Promise<FoundNetwork[]> {
  const found: FoundNetwork[] = [];
  for (const path of paths) {
    const beside = `${path.slice(0, -extname(path).length)}.json`;
    const end = endOf(path);
    if (end === '.onnx') found.push({ path, card: beside, read: () => readOnnx(path) });
    else if (end === '.pb') found.push({ path, card: beside, read: (wanted) => readPb(path, wanted) });
    else if (end === '.json') {
      const json = await jsonOf(path);
      // It has the name of its JSON itself.
      const card = join(dirname(path), 'sidecar.json');
      if (isTfjs(json)) found.push({ path, card, read: (wanted) => readTfjsFile(path, json, wanted) });
    }
  }
  return found;
}

/** A network and the JSON beside it, under the same name unless another is among the files. */
interface FoundPair {
  network: FoundNetwork;
  cardPath: string;
}

/**
 * @returns null where there is no network among the files
 * @throws CheckpointError `unknown-model` naming a file that belongs to neither
 */
async function findPair(paths: readonly string[]): Promise<FoundPair | null> {
  const [network, second] = await findNetworks(paths);
  if (network === undefined) return null;
  const cards = paths.filter((path) => endOf(path) === '.json' && path !== network.path);
  const other =
    second?.path ?? cards[1] ?? paths.find((path) => path !== network.path && !cards.includes(path));
  if (other !== undefined)
    throw new CheckpointError(
      'unknown-model',
      `${basename(other)} does not belong to the network ${basename(network.path)}`,
      'Name one network (.onnx, .pb, or the model.json of TensorFlow.js) and the JSON that says how it is fed.',
    );
  return { network, cardPath: cards[0] ?? network.card };
}

/**
 * Reads a network and the JSON that stands beside it.
 * @returns null where there is no network among the files
 * @throws CheckpointError naming the file
 */
export async function readNetworkFiles(
  paths: readonly string[],
  choices: ConversionChoices = {},
): Promise<NetworkFiles | null> {
  const pair = await findPair(paths);
  if (pair === null) return null;
  const { cardPath } = pair;
  const card = await named(basename(cardPath), async () =>
    readCard(new TextDecoder().decode(await readWhole(cardPath, MAX_JSON_BYTES, NO_CARD))),
  );
  const { model, files } = await readPair(pair, networkRequest(card, choices), card.kind);
  return { model, card, files };
}

/**
 * Reads a head and the JSON that stands beside it.
 * @returns null where there is no head among the files
 * @throws CheckpointError naming the file
 */
export async function readHeadFiles(paths: readonly string[]): Promise<HeadFiles | null> {
  const pair = await findPair(paths);
  const json = pair === null ? null : await jsonOf(pair.cardPath);
  if (pair === null || !isHeadCard(json)) return null;
  const card = await named(basename(pair.cardPath), () => headCard(json));
  const wanted = { input: card.input, inputShape: null, outputs: [card.output] };
  const { model, files } = await readPair(pair, wanted, card.kind);
  return { model, card, files };
}

async function readPair(
  { network, cardPath }: FoundPair,
  wanted: TfRequest,
  kind: string,
): Promise<Pick<NetworkFiles, 'model' | 'files'>> {
  const name = basename(network.path);
  const { onnx, what, weights } = await named(name, () => network.read(wanted));
  const graph = await named(name, () => readForeignModel(onnx));
  return {
    model: { name, graph, onnx },
    files: [{ path: network.path, what: what(graph.opset) }, ...weights, { path: cardPath, what: kind }],
  };
}

async function readOnnx(path: string): Promise<ReadNetwork> {
  return {
    onnx: await readWhole(path, MAX_GRAPH_BYTES),
    what: (opset) => `ONNX network, operators of version ${opset}`,
    weights: [],
  };
}

async function readPb(path: string, wanted: TfRequest): Promise<ReadNetwork> {
  const graph = readFrozenGraph(await readWhole(path, MAX_GRAPH_BYTES));
  return {
    onnx: tensorflowToOnnx(graph, wanted),
    what: () => 'frozen TensorFlow graph, turned into ONNX',
    weights: [],
  };
}

async function readTfjsFile(path: string, json: unknown, wanted: TfRequest): Promise<ReadNetwork> {
  const weights: ReadNetwork['weights'] = [];
  let left = MAX_GRAPH_BYTES;
  const graph = await readTfjs(json, {
    read: async (file) => {
      const beside = join(dirname(path), file);
      if (!weights.some((known) => known.path === beside))
        weights.push({ path: beside, what: 'its weights' });
      // All files together: a list may name one a thousand times.
      const bytes = await named(file, () => readWhole(beside, left));
      left -= bytes.length;
      return bytes;
    },
  });
  return {
    onnx: tensorflowToOnnx(graph, wanted),
    what: () => 'model of TensorFlow.js, turned into ONNX',
    weights,
  };
}

/** Only what is read is turned into ONNX: the embedding, and tags. */
function networkRequest(card: NetworkCard, choices: ConversionChoices): TfRequest {
  const embedding = choices.output ?? card.embeddings[0]?.output;
  const outputs = [...new Set([embedding, card.tags?.output].flatMap((name) => name ?? []))];
  const { input, inputShape, patch } = card;
  const bands = 'mel' in card.frontEnd ? [card.frontEnd.mel.bands] : [];
  // Essentia's JSON leaves out the batch where a graph takes any number of patches.
  const told = inputShape ?? (patch === null ? null : [null, patch, ...bands]);
  const rank = 2 + bands.length;
  return { input, inputShape: told !== null && told.length < rank ? [null, ...told] : told, outputs };
}

/** What a JSON holds, or null: whoever reads it in earnest says what is wrong. */
async function jsonOf(path: string): Promise<unknown> {
  try {
    return JSON.parse((await readBounded(path, MAX_JSON_BYTES)).toString('utf8')) as unknown;
  } catch {
    return null;
  }
}

/** What is said of a file that cannot be read. */
interface NotThere {
  hint: string;
  missing: 'io' | 'incomplete';
}
const NO_FILE: NotThere = { hint: 'Check the path.', missing: 'io' };
const NO_CARD: NotThere = {
  hint: 'A network needs the JSON that says how it is fed: put it beside the network under the same name, or name it with --sidecar.',
  missing: 'incomplete',
};

async function readWhole(path: string, limit: number, notThere = NO_FILE): Promise<Uint8Array> {
  return readBounded(path, limit).catch((cause: unknown) => {
    if (!(cause instanceof FileReadError)) throw cause;
    switch (cause.problem) {
      case 'not-a-file':
        throw new CheckpointError('io', 'it is not a file', 'Check the path.');
      case 'too-large':
        throw new CheckpointError(
          'unsupported',
          `it has ${cause.bytes ?? 'too many'} bytes; at most ${limit} are read`,
          'Check that it is the file that you mean.',
        );
      case 'missing':
      case 'unreadable':
        throw new CheckpointError(
          cause.problem === 'missing' ? notThere.missing : 'io',
          'the file cannot be read',
          notThere.hint,
          { cause },
        );
    }
  });
}

const endOf = (path: string): string => extname(path).toLowerCase();
