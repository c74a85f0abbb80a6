import type {
  Backbone,
  BackbonePart,
  BuildGraph,
  Codec,
  Embedder,
  GraphShape,
} from '../backbones/backbone.ts';
import type { Terms } from '../backbones/publishers.ts';
import type { DetectedModel } from '../backbones/registry.ts';
import { SAMPLE_RATE } from '../backbones/sample-rate.ts';
import { CheckpointError } from '../checkpoint/index.ts';
import type { GinConfig } from '../checkpoint/gin.ts';
import { encoderGraph } from '../onnx/graphs/encodecmae.ts';
import type { GraphName, PackManifest } from '../packs/manifest.ts';
import type { NetworkDescription } from '../packs/network.ts';
import type { SamplerName } from '../pecmae/sampler.ts';
import { readSettings, type ConversionChoices } from './settings.ts';

/** A file, recognised. */
export interface RecognisedModel extends DetectedModel {
  /** Its name, for messages. */
  name: string;
  /** The configuration that is inside the file, where there is one. */
  config: GinConfig | null;
}

/** A graph that is to be built; building reads the weights. */
export interface PlannedGraph {
  name: GraphName;
  build(): Promise<Uint8Array>;
}

/** What a pack manifest says before its graphs exist. */
export type PackDescription = Pick<
  PackManifest,
  | 'id'
  | 'title'
  | 'kind'
  | 'sampleRate'
  | 'windowSeconds'
  | 'windowSamples'
  | 'frameRate'
  | 'framesPerWindow'
  | 'featureDim'
  | 'embeddingDim'
> & {
  sampler?: { steps: number; guidance: number; method: SamplerName; initialNoise: number };
  soundless?: string;
  network?: NetworkDescription;
  nonCommercial?: boolean;
};

/** A conversion, decided on but not begun. */
export interface ConversionPlan {
  description: PackDescription;
  graphs: PlannedGraph[];
  /** Under which the models were published that go into the pack. */
  terms: readonly Terms[];
  /** What the model was trained on, as far as its files say. */
  trained?: string;
  /** What the user should know: assumptions, and what is missing. */
  notes: string[];
}

/**
 * Guidance of PECMAE's own decoding script. Its 40 plain steps become 16 of `multistep`, which come closer to the limit of
 * many steps (measured on the compact pack: tests/bench/sampler.bench.ts).
 */
const SAMPLER = { steps: 16, guidance: 1, method: 'multistep', initialNoise: 1 } as const;

/**
 * Decides what pack a set of files makes: a generative one from a model with a way back to sound and a codec, otherwise
 * one that only makes embeddings.
 * @param config beside the files (`config.gin`), or null
 * @throws CheckpointError `unknown-model` when the files do not go together, `incomplete` for a codec alone, `shape`, `bad-config`.
 */
export function planConversion(
  models: readonly RecognisedModel[],
  config: GinConfig | null,
  choices: ConversionChoices = {},
): ConversionPlan {
  const codec = theOnly(models, ({ codec: found }) => found, 'make the sound');
  const main = theOnly(models, ({ embedder: found }) => found, 'make the embeddings');
  if (main === null)
    throw doNotFit(
      models,
      'EnCodec alone makes no embeddings',
      'Add the diffusion autoencoder',
      'incomplete',
    );
  const { backbone, is: embedder } = main;
  const { encodecmae } = embedder;
  const settings = readSettings(backbone.settings, encodecmae.dim, [main.config, config], choices);
  const { windowSeconds } = settings;
  const windowSamples = Math.round(windowSeconds * SAMPLE_RATE);
  const frames = encodecmae.frontEnd.frames(windowSamples);
  const shape: GraphShape = { frames, settled: settings.settled };
  const planned = (name: GraphName, graph: BuildGraph): PlannedGraph => ({ name, build: () => graph(shape) });

  const sound = soundOf(embedder, codec, encodecmae.featureDim);
  const graphs = [
    planned('features', () => encodecmae.frontEnd.graph(frames)),
    planned('encoder', () =>
      encoderGraph(encodecmae.source, { frames, heads: settings.settled('encoderHeads') }),
    ),
    planned('summary', embedder.summary),
    ...sound.graphs.map(([name, graph]) => planned(name, graph)),
  ];
  const { precision = 'float32' } = choices;
  // Variants of one model can stand beside each other.
  const [idEnd, titleEnd] = precision === 'float32' ? ['', ''] : [`-${precision}`, `, ${precision}`];
  const { id, title } = embedder.name(windowSeconds);
  return {
    description: {
      id: choices.id ?? id + idEnd,
      title: choices.title ?? title + titleEnd,
      kind: sound.soundless === null ? 'generative' : 'embedding-only',
      sampleRate: SAMPLE_RATE,
      windowSeconds,
      windowSamples,
      frameRate: encodecmae.frontEnd.frameRate(),
      framesPerWindow: frames,
      featureDim: encodecmae.featureDim,
      embeddingDim: encodecmae.dim,
      ...(sound.soundless === null ? { sampler: { ...SAMPLER } } : { soundless: sound.soundless }),
    },
    graphs,
    terms: backbone.terms,
    notes: [...settings.notes, ...sound.notes],
  };
}

interface SoundPlan {
  graphs: [name: GraphName, graph: BuildGraph][];
  /** Why there will be no sound, or null. */
  soundless: string | null;
  notes: string[];
}

/** @throws CheckpointError `shape` for a codec that does not fit */
function soundOf({ sound }: Embedder, codec: Found<Codec> | null, featureDim: number): SoundPlan {
  if ('none' in sound) {
    const notes = codec === null ? [] : [`${codec.name} is not needed for this pack and was left out.`];
    return { graphs: [], soundless: sound.none, notes };
  }
  if (codec === null) return { graphs: [], soundless: sound.withoutCodec, notes: [] };
  const dim = codec.is.featureDim();
  if (dim !== featureDim)
    throw new CheckpointError(
      'shape',
      `this EnCodec has frames of ${dim} numbers, the autoencoder of ${featureDim}`,
      'Use the EnCodec 24 kHz that the autoencoder was trained with.',
    );
  const graphs: SoundPlan['graphs'] = [
    ['denoiser', sound.denoiser],
    ['decoder', codec.is.decoder],
  ];
  return { graphs, soundless: null, notes: [] };
}

interface Found<T> {
  name: string;
  backbone: Backbone;
  config: GinConfig | null;
  is: T;
}

/** The model that can be something; null without one. @throws CheckpointError `unknown-model` for several */
function theOnly<T>(
  models: readonly RecognisedModel[],
  as: (part: BackbonePart) => T | undefined,
  does: string,
): Found<T> | null {
  const found = models.flatMap((model) => {
    const is = as(model.part);
    return is === undefined ? [] : [{ ...model, is }];
  });
  if (found.length > 1)
    throw doNotFit(found, `only one of them can ${does} of a pack`, 'Leave all but one of them out');
  return found[0] ?? null;
}

function doNotFit(
  models: readonly RecognisedModel[],
  why: string,
  hint: string,
  code: 'unknown-model' | 'incomplete' = 'unknown-model',
): CheckpointError {
  const names = models.map(({ name, backbone }) => `${name} (${backbone.title})`).join(' and ');
  return new CheckpointError(code, `${names}: ${why}`, `${hint}, as “Bringing the official models” says.`);
}
