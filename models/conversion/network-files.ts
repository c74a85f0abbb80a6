import { readFile, stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import type { NetworkCard } from '../backbones/network-card.ts';
import { readCard } from '../backbones/read-card.ts';
import { CheckpointError } from '../checkpoint/index.ts';
import { readForeignModel } from '../onnx/foreign.ts';
import { MAX_GRAPH_BYTES } from '../packs/manifest.ts';
import { named } from './named.ts';
import type { NetworkModel } from './network-plan.ts';

/** Ends of the names of files that hold a network. */
const NETWORKS = ['.onnx'];
const MAX_CARD_BYTES = 4 * 1024 ** 2;

/** Whether a set of files is a published network rather than a checkpoint. */
export function isNetwork(paths: readonly string[]): boolean {
  return paths.some((path) => NETWORKS.includes(endOf(path)));
}

/** A network and its JSON, read. */
export interface NetworkFiles {
  model: NetworkModel;
  card: NetworkCard;
  files: { path: string; what: string }[];
}

/**
 * Reads a network and the JSON that stands beside it, under the same name unless another is among the files.
 * @throws CheckpointError naming the file
 */
export async function readNetworkFiles(paths: readonly string[]): Promise<NetworkFiles> {
  const [path, second] = paths.filter((each) => NETWORKS.includes(endOf(each)));
  const others = paths.filter((each) => !NETWORKS.includes(endOf(each)) && endOf(each) !== '.json');
  if (path === undefined || second !== undefined || others.length > 0)
    throw new CheckpointError(
      'unknown-model',
      `${[second ?? others[0] ?? ''].map((each) => basename(each)).join()} does not belong to a network`,
      'Name one network (.onnx) and the JSON beside it.',
    );
  const name = basename(path);
  const cardPath =
    paths.find((each) => endOf(each) === '.json') ?? `${path.slice(0, -extname(path).length)}.json`;
  const card = await named(basename(cardPath), async () =>
    readCard(await readWhole(cardPath, MAX_CARD_BYTES, 'utf8')),
  );
  const bytes = await named(name, () => readWhole(path, MAX_GRAPH_BYTES));
  const graph = await named(name, () => readForeignModel(bytes));
  return {
    model: { name, graph, bytes: () => Promise.resolve(bytes) },
    card,
    files: [
      { path, what: `ONNX network, operators of version ${graph.opset}` },
      { path: cardPath, what: card.kind },
    ],
  };
}

async function readWhole(path: string, limit: number): Promise<Uint8Array>;
async function readWhole(path: string, limit: number, encoding: 'utf8'): Promise<string>;
async function readWhole(path: string, limit: number, encoding?: 'utf8'): Promise<Uint8Array | string> {
  const info = await stat(path).catch((cause: unknown) => {
    throw new CheckpointError(
      'io',
      'the file cannot be read',
      encoding === 'utf8'
        ? 'A network needs the JSON that says how it is fed: put it beside the network under the same name, or name it with --sidecar.'
        : 'Check the path.',
      { cause },
    );
  });
  // Reading a pipe would wait for ever.
  if (!info.isFile()) throw new CheckpointError('io', 'it is not a file', 'Check the path.');
  if (info.size > limit)
    throw new CheckpointError(
      'unsupported',
      `it has ${info.size} bytes; at most ${limit} are read`,
      'Check that it is the file that you mean.',
    );
  return encoding === undefined ? readFile(path) : readFile(path, encoding);
}

const endOf = (path: string): string => extname(path).toLowerCase();
