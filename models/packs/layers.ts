import { createHash } from 'node:crypto';
import { CheckpointError } from '../checkpoint/errors.ts';
import { patchedOut } from '../onnx/patch-out.ts';
import { parseModel, type ModelMessage } from '../onnx/proto.ts';
import { PackError } from './errors.ts';
import { readGraph } from './graph-file.ts';
import type { GraphName, Pack, PackManifest } from './manifest.ts';
import type { PackFiles } from './pack-files.ts';

/** A value inside a network that can stand as an embedding. */
export interface Layer {
  /** `blocks.3`, or what the graph calls an output. */
  name: string;
  /** Of a block, from 0; null of an output. */
  number: number | null;
  /** What the graph calls it. */
  value: string;
  /** Sizes behind the batch; null where only running tells. The last one is the width. */
  dims: (number | null)[];
}

/** Which layer is meant: a number is a block’s. */
export type LayerChoice = string | number;

/** The network of a pack, and the number of its axes of time and band. */
const NETWORKS = ['encoder', 'network'] as const satisfies readonly GraphName[];

/** `/blocks.3/down/Add` is of the block `blocks.3`. */
const BLOCK = /^\/?((?:[\w-]+[./])*?(?:blocks|layers?|h)[./](\d{1,4}))\//;

type Graph = ModelMessage['graph'];

/**
 * The layers of a pack’s network: its blocks as far as a layer norm behind them says how wide they are, and the outputs that
 * the graph declares.
 * @throws PackError where the pack has no network of its own, as hand-made spaces
 */
export async function layersOf(pack: Pack): Promise<Layer[]> {
  return layersIn(parseModel(await readGraph(pack, networkOf(pack))).graph, pack);
}

function networkOf({ manifest }: Pack): (typeof NETWORKS)[number] {
  const name = NETWORKS.find((one) => manifest.graphs[one]);
  if (name && (name === 'network' || manifest.graphs.features)) return name;
  throw new PackError('graph', `the pack ${manifest.id} has no layers`, {
    hint: 'Layers are of packs with a network; hand-made spaces have parts (`groups: true`).',
  });
}

function layersIn(graph: Graph, { manifest }: Pack): Layer[] {
  const sizes = new Map(graph.initializer.map(({ name, dims }) => [name, dims]));
  // A layer norm scales each number of a row: as many scales as numbers.
  const widths = new Map(
    graph.node.flatMap(({ opType, input }) => {
      const scale = opType === 'LayerNormalization' ? sizes.get(input[1] ?? '') : undefined;
      const [width, more] = scale ?? [];
      return width === undefined || more !== undefined ? [] : [[input[0] ?? '', width] as const];
    }),
  );
  const blocks = new Map<string, Layer>();
  for (const { name, output } of graph.node) {
    const [, block, number] = BLOCK.exec(name) ?? [];
    const value = output[0] ?? '';
    const width = widths.get(value);
    // The last value of a block that the next one begins with; norms inside of blocks come before it.
    if (block !== undefined && width !== undefined)
      blocks.set(block, { name: block, number: Number(number), value, dims: [null, width] });
  }
  const outputs = graph.output.flatMap((output): Layer[] => {
    const { name } = output;
    const [, ...dims] = sizesOf(output);
    const open = dims.filter((size) => size === null).length;
    return dims.length > 0 && dims.at(-1) != null && open <= 1
      ? [{ name, number: null, value: name, dims }]
      : [];
  });
  // Of several windows at once the rows of one need not lie together inside of a network; where it takes no other number, only
  // its outputs are told apart.
  return [...((manifest.network?.batch ?? 1) === 1 ? blocks.values() : []), ...outputs];
}

/** Sizes of an output, the batch among them; none where the graph does not say them. */
function sizesOf({
  type,
}: {
  type?: { tensorType?: { shape?: { dim: readonly { dimValue?: number }[] } } };
}): (number | null)[] {
  return (type?.tensorType?.shape?.dim ?? []).map(({ dimValue }) => dimValue ?? null);
}

/** @throws PackError naming the layers that there are */
function layerNamed(pack: Pack, layers: readonly Layer[], choice: LayerChoice): Layer {
  const found = layers.find(({ name, number, value }) =>
    typeof choice === 'number' ? number === choice : name === choice || value === choice,
  );
  if (found) return found;
  throw new PackError('graph', `the pack ${pack.manifest.id} has no layer ${String(choice)}`, {
    hint:
      layers.length > 0
        ? `It has ${layers.map(({ name, number }) => (number === null ? name : `${String(number)} (${name})`)).join(', ')}.`
        : 'Nothing in its network says what a layer is.',
  });
}

/**
 * A pack whose embedding is the mean over time of a layer inside the network of another. What lies behind the layer is taken
 * out; weights are copied as they are.
 * @throws PackError where there is no such layer, naming those that there are, or where the graph has branches
 */
export async function layerPack(pack: Pack, choice: LayerChoice): Promise<PackFiles> {
  const { manifest } = pack;
  const from = networkOf(pack);
  const model = await readGraph(pack, from);
  const layer = layerNamed(pack, layersIn(parseModel(model).graph, pack), choice);
  const network = cut(model, layer, manifest);
  const files = new Map<string, Uint8Array>([['layer.onnx', network]]);
  const { features } = manifest.graphs;
  if (features) files.set(features.file, await readGraph(pack, 'features'));
  const sha256 = createHash('sha256').update(network).digest('hex');
  const dims = layer.dims;
  const fed: NonNullable<PackManifest['network']> = manifest.network ?? {
    input: { name: 'features', axes: ['batch', 'time', 'band'] },
    ...{ patch: manifest.framesPerWindow, hop: manifest.framesPerWindow, patches: 1 },
    embedding: { output: layer.value, dims, tokens: 'mean' },
  };
  const plain = { ...fed };
  delete plain.tags;
  const copy = structuredClone(manifest);
  delete copy.sampler;
  delete copy.phaseRetrieval;
  delete copy.levels;
  return {
    files,
    manifest: {
      ...copy,
      id: layerId(manifest.id, layer.name),
      title: `${manifest.title}, layer ${layer.name}`.slice(0, 200),
      kind: 'embedding-only',
      embeddingDim: dims.at(-1) ?? 1,
      quality: {},
      graphs: {
        ...(features && { features }),
        network: { file: 'layer.onnx', sha256, bytes: network.length },
      },
      network: {
        ...plain,
        ...(layer.number === null ? {} : { batch: 1 }),
        embedding: { output: layer.value, dims, tokens: 'mean' },
      },
      soundless: 'It is a layer inside a network; no decoder was made for it.',
    },
  };
}

function cut(model: Uint8Array, { name, value }: Layer, { id }: PackManifest): Uint8Array {
  try {
    return patchedOut(model, { every: 1, outputs: [value] });
  } catch (cause) {
    if (!(cause instanceof CheckpointError)) throw cause;
    throw new PackError('graph', `the layer ${name} of the pack ${id} cannot be cut out of its network`, {
      hint: 'Networks with loops or branches are taken whole.',
      cause,
    });
  }
}

const LONGEST_ID = 64;

/** `compact-layer-blocks-3`, or by a hash where that is too long. */
function layerId(packId: string, layer: string): string {
  const id = `${packId}-layer-${layer.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`;
  if (id.length <= LONGEST_ID) return id;
  return `layer-${createHash('sha256').update(`${packId} ${layer}`).digest('hex').slice(0, 24)}`;
}
