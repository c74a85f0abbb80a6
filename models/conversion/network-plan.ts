import type { NetworkCard } from '../backbones/network-card.ts';
import { CheckpointError } from '../checkpoint/index.ts';
import type { ForeignModel, ForeignTensor } from '../onnx/foreign.ts';
import { patchedOut } from '../onnx/patch-out.ts';
import { melBandsGraph, samplesOfFrames } from '../onnx/graphs/mel-bands.ts';
import { embeddingWidth, type NetworkDescription } from '../packs/network.ts';
import type { ConversionPlan, PlannedGraph } from './plan.ts';
import type { ConversionChoices } from './settings.ts';

/** A network, read but not run. */
export interface NetworkModel {
  /** Name of its file, for messages. */
  name: string;
  graph: ForeignModel;
  /** The ONNX file that goes into the pack. */
  onnx: Uint8Array;
}

/** As many patches as lie in so many seconds make a window, and always one. */
const WINDOW_SECONDS = 4;
const SOUNDLESS = 'It only listens: nothing in it makes sound of a vector.';

/**
 * Decides what pack a published network and the JSON beside it make.
 * @throws CheckpointError `bad-config` or `shape` where the two contradict each other
 */
export function planNetwork(
  { name, graph, onnx }: NetworkModel,
  card: NetworkCard,
  choices: ConversionChoices = {},
): ConversionPlan {
  if ((choices.precision ?? 'float32') !== 'float32')
    throw new CheckpointError(
      'bad-config',
      `${name} is kept as it was published: reduced precision is for checkpoints of EnCodecMAE`,
      'Choose float32.',
    );
  const mel = 'mel' in card.frontEnd ? card.frontEnd.mel : null;
  const width = mel?.bands ?? 1;
  const sampleRate = 'mel' in card.frontEnd ? card.frontEnd.mel.sampleRate : card.frontEnd.waveform;
  const input = find(name, 'input', graph.inputs, card.input);
  if (graph.inputs.length > 1)
    throw misfit(
      `${name} has ${graph.inputs.length} inputs (${listed(graph.inputs)}); a network with one is needed`,
    );
  const { axes, batch, patch } = layout(name, card, input, width);
  const hop = choices.patchHop ?? card.hop ?? patch;
  const perSecond = mel ? sampleRate / mel.hop : sampleRate;
  const seconds = choices.windowSeconds ?? WINDOW_SECONDS;
  const fitting = 1 + Math.floor((seconds * perSecond - patch) / hop);
  if (choices.windowSeconds !== undefined && fitting < 1)
    throw new CheckpointError(
      'bad-config',
      `a window of ${seconds} s is shorter than a patch of ${name}, ${(patch / perSecond).toFixed(2)} s`,
      'Choose a longer window.',
    );
  const patches = Math.max(1, fitting);
  const length = patch + (patches - 1) * hop;
  const windowSamples = mel ? samplesOfFrames(mel, length) : length;
  const windowSeconds = windowSamples / sampleRate;
  const network: NetworkDescription = {
    input: { name: input.name, axes },
    ...(batch === null ? {} : { batch }),
    ...{ patch, hop, patches },
    embedding: embeddingOf(name, graph, card, choices),
    ...tagsOf(name, graph, card),
  };
  const { keepEvery } = choices;
  const outputs = [network.embedding.output, ...(network.tags ? [network.tags.output] : [])];
  const built = keepEvery === undefined ? onnx : patchedOut(onnx, { every: keepEvery, outputs });
  // How many rows are left, only running tells.
  if (keepEvery !== undefined && keepEvery > 1)
    network.embedding.dims = network.embedding.dims.map((size, i, all) =>
      i === all.length - 2 && size !== 1 ? null : size,
    );
  const embeddingDim = embeddingWidth(network.embedding);
  if (embeddingDim === null) throw new Error('the width of the embedding is settled before');
  const planned: PlannedGraph[] = [
    ...(mel ? [{ name: 'features' as const, build: () => Promise.resolve(melBandsGraph(mel, length)) }] : []),
    { name: 'network', build: () => Promise.resolve(built) },
  ];
  return {
    description: {
      id: choices.id ?? idOf(keepEvery === undefined ? card.name : `${card.name}-every-${keepEvery}`),
      title:
        choices.title ??
        `${card.title.slice(0, 180)}${keepEvery === undefined ? '' : `, patch-out ${keepEvery}`}`,
      kind: 'embedding-only',
      ...{ sampleRate, windowSeconds, windowSamples },
      frameRate: mel ? perSecond : patches / windowSeconds,
      framesPerWindow: mel ? length : patches,
      featureDim: width,
      embeddingDim,
      network,
      ...(card.terms.nonCommercial === true ? { nonCommercial: true } : {}),
      soundless: SOUNDLESS,
    },
    graphs: planned,
    terms: [card.terms],
    trained: card.trained,
    notes: [...card.notes, ...notesOf(network, perSecond), ...patchOutNotes(keepEvery)],
  };
}

function patchOutNotes(every: number | undefined): string[] {
  if (every === undefined) return [];
  const left =
    every === 1 ? '' : ` Of the times of its patches every ${every}. is kept, the others are left out.`;
  return [`What the chosen outputs do not need was taken out of the network.${left}`];
}

function notesOf(
  { patch, hop, patches, embedding, tags, batch }: NetworkDescription,
  perSecond: number,
): string[] {
  const seconds = (frames: number) => `${(frames / perSecond).toFixed(2)} s`;
  return [
    patches === 1
      ? `A window is one patch of ${seconds(patch)}.`
      : `A window is ${patches} patches of ${seconds(patch)}, one every ${seconds(hop)}; its embedding is their mean.`,
    `The embedding is the output ${embedding.output}${embedding.dims.length > 1 ? `, of its rows: ${embedding.tokens}` : ''}.`,
    ...(tags ? [`It also names ${tags.classes.length} tags for each patch.`] : []),
    ...(batch === undefined
      ? []
      : [`It takes ${batch} patches at a time; fewer are filled up with silence.`]),
  ];
}

/** Which axis of the input is what, how many patches it takes at once (null: any), and how long they are. */
function layout(
  name: string,
  card: NetworkCard,
  input: ForeignTensor,
  width: number,
): { axes: NetworkDescription['input']['axes']; batch: number | null; patch: number } {
  const told = card.inputShape;
  const dims = input.dims?.map(
    (size, i) => size ?? (told?.length === input.dims?.length ? (told?.[i] ?? null) : null),
  );
  const sizes = dims ?? told ?? [null, card.patch, ...(width === 1 ? [] : [width])];
  const axes: NetworkDescription['input']['axes'] = ['batch'];
  let patch: number | null = null;
  let bands = width === 1;
  for (const size of sizes.slice(1)) {
    if (size === 1) axes.push('one');
    else if (
      patch === null &&
      (size === null || size === card.patch || (card.patch === null && size !== width))
    ) {
      patch = size ?? card.patch;
      axes.push('time');
    } else if (!bands && (size === null || size === width)) {
      bands = true;
      axes.push('band');
    } else patch = NaN;
  }
  if (!bands || patch === null || Number.isNaN(patch))
    throw misfit(
      `${name} takes [${(input.dims ?? []).map((size) => size ?? '?').join(', ')}], the front-end makes patches of ${card.patch ?? '?'} × ${width}`,
    );
  return { axes, batch: input.dims?.[0] ?? null, patch };
}

function embeddingOf(
  name: string,
  graph: ForeignModel,
  card: NetworkCard,
  choices: ConversionChoices,
): NetworkDescription['embedding'] {
  const [first] = card.embeddings;
  const wanted = choices.output ?? first?.output;
  if (wanted === undefined)
    throw new CheckpointError(
      'bad-config',
      `the JSON beside ${name} names no output with embeddings`,
      `Name one: the graph has ${listed(graph.outputs)}.`,
    );
  const output = find(name, 'output', graph.outputs, wanted);
  const told = card.embeddings.find((embedding) => sameName(embedding.output, output.name))?.shape ?? null;
  const dims = output.dims?.slice(1) ?? told?.slice(1);
  const settled = dims?.map(
    (size, i) => size ?? (told?.length === dims.length + 1 ? (told[i + 1] ?? null) : null),
  );
  if (
    settled === undefined ||
    settled.length === 0 ||
    settled.at(-1) === null ||
    settled.filter((d) => d === null).length > 1
  )
    throw new CheckpointError(
      'shape',
      `${name} does not say how large its output ${output.name} is`,
      'Write the sizes behind the batch as "shape" beside the name of the output in its JSON.',
    );
  const tokens = choices.tokens ?? card.tokens ?? 'mean';
  const rows = settled.slice(0, -1).reduce<number>((count, size) => (size === null ? NaN : count * size), 1);
  const needed = { mean: 1, cls: 1, dist: 2, stack: 3 }[tokens];
  if (rows < needed)
    throw misfit(`the output ${output.name} of ${name} has ${rows} rows, too few for the tokens “${tokens}”`);
  return { output: output.name, dims: settled, tokens };
}

/** @throws CheckpointError `shape` where the graph has other classes than its JSON */
function tagsOf(name: string, graph: ForeignModel, { tags }: NetworkCard): Pick<NetworkDescription, 'tags'> {
  if (tags === null) return {};
  const output = find(name, 'output', graph.outputs, tags.output);
  const size = output.dims?.at(-1) ?? null;
  if (output.dims && (output.dims.length !== 2 || (size !== null && size !== tags.classes.length)))
    throw misfit(
      `the output ${output.name} of ${name} has ${size ?? '?'} numbers per patch, the JSON beside it ${tags.classes.length} classes`,
    );
  return { tags: { output: output.name, classes: tags.classes } };
}

/** @throws CheckpointError `missing-tensor` listing what is there */
export function find(
  name: string,
  what: 'input' | 'output',
  tensors: readonly ForeignTensor[],
  wanted: string,
): ForeignTensor {
  const found = tensors.find((tensor) => sameName(tensor.name, wanted));
  if (found === undefined)
    throw new CheckpointError(
      'missing-tensor',
      `${name} has no ${what} named ${wanted}`,
      `Its ${what}s are ${listed(tensors)}: use the JSON that is published with this very file, or name one of them.`,
    );
  if (!found.isFloat) throw misfit(`the ${what} ${found.name} of ${name} is not of float32 numbers`);
  return found;
}

/** TensorFlow writes a node's first output with or without its number. */
const sameName = (a: string, b: string): boolean => a.replace(/:0$/, '') === b.replace(/:0$/, '');

const listed = (tensors: readonly ForeignTensor[]): string =>
  tensors
    .slice(0, 12)
    .map(({ name }) => name)
    .join(', ') || 'none';

export function misfit(message: string): CheckpointError {
  return new CheckpointError(
    'shape',
    message,
    'Use the JSON that is published with this very file, or correct the one that you wrote.',
  );
}

/** An id made of a name. */
export function idOf(name: string): string {
  const id = name
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 64);
  return id === '' ? 'network' : id;
}
