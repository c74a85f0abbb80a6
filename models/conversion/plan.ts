import { CheckpointError, type TensorSource } from '../checkpoint/index.ts';
import { denoiserGraph } from '../onnx/graphs/denoiser.ts';
import { encodecDecoderGraph, encodecEncoderGraph } from '../onnx/graphs/encodec.ts';
import { encoderGraph } from '../onnx/graphs/encodecmae.ts';
import { melFrames, melGraph } from '../onnx/graphs/mel.ts';
import { summaryGraph } from '../onnx/graphs/summary.ts';
import type { GraphName, PackManifest } from '../packs/manifest.ts';
import type { EncodecmaePart, ModelPart } from './detect.ts';
import type { GinConfig } from './gin.ts';
import { meanSummaryGraph } from './mean-summary.ts';
import { readSettings, SAMPLE_RATE, type ConversionChoices } from './settings.ts';
import type { SamplerName } from '../pecmae/sampler.ts';

/** A file, recognised. */
export interface RecognisedModel {
  /** Its name, for messages. */
  name: string;
  part: ModelPart;
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
};

/** A conversion, decided on but not begun. */
export interface ConversionPlan {
  description: PackDescription;
  graphs: PlannedGraph[];
  /** The models that go into the pack. */
  models: ModelPart['kind'][];
  /** What the user should know: assumptions, and what is missing. */
  notes: string[];
}

/**
 * Guidance of PECMAE's own decoding script. Its 40 plain steps become 16 of `multistep`, which come closer to the limit of
 * many steps (measured on the compact pack: tests/bench/sampler.bench.ts).
 */
const SAMPLER = { steps: 16, guidance: 1, method: 'multistep', initialNoise: 1 } as const;

/**
 * Decides what pack a set of files makes: a generative one from a diffusion autoencoder and EnCodec, otherwise one
 * that only makes embeddings.
 * @param config beside the files (`config.gin`), or null
 * @throws CheckpointError `unknown-model` when the files do not go together, `shape`, `bad-config`.
 */
export function planConversion(
  models: readonly RecognisedModel[],
  config: GinConfig | null,
  choices: ConversionChoices = {},
): ConversionPlan {
  const codec = theOnly(models, ['encodec']);
  const main = theOnly(models, ['diffusion', 'encodecmae', 'regressor']);
  if (main === null)
    throw doNotFit(models, 'EnCodec alone makes no embeddings', 'Add the diffusion autoencoder');
  const { part } = main;
  if (part.kind === 'encodec') throw new Error('the main model is never the codec');
  const { encodecmae } = part;
  const hop = encodecmae.frontEnd.kind === 'mel' ? null : hopOf(encodecmae.frontEnd.seanet);
  const settings = readSettings(part, [main.config, config], choices);
  const windowSamples = Math.round(settings.windowSeconds * SAMPLE_RATE);
  const frames = framesOf(windowSamples, hop);
  const notes = [...settings.notes];

  const graphs: PlannedGraph[] = [
    { name: 'features', build: () => featuresOf(encodecmae, frames) },
    {
      name: 'encoder',
      build: () => encoderGraph(encodecmae.source, { frames, heads: settings.encoderHeads }),
    },
  ];
  let soundless: string | null = null;
  const { heads } = settings;
  if (part.kind === 'diffusion' && heads !== null) {
    const { source } = part;
    graphs.push({ name: 'summary', build: () => summaryGraph(source, { frames, heads }) });
    if (codec?.part.kind === 'encodec') {
      const { decoder } = codec.part;
      checkCodec(decoder, encodecmae.featureDim);
      graphs.push(
        { name: 'denoiser', build: () => denoiserGraph(source, { frames, heads }) },
        { name: 'decoder', build: () => encodecDecoderGraph(decoder, { prefix: 'model' }) },
      );
    } else
      soundless =
        'It was added without EnCodec 24 kHz, which turns what the model imagines into sound. Add both files together to hear prototypes.';
  } else {
    graphs.push({ name: 'summary', build: () => Promise.resolve(meanSummaryGraph(frames, encodecmae.dim)) });
    soundless =
      part.kind === 'regressor'
        ? 'Its way back to sound needs every frame of a window, and a prototype is one vector.'
        : 'EnCodecMAE only listens: the diffusion autoencoders trained on it can also make sound.';
    if (codec !== null) notes.push(`${codec.name} is not needed for this pack and was left out.`);
  }
  const kind = soundless === null ? 'generative' : 'embedding-only';
  const { precision = 'float32' } = choices;
  // Variants of one model can stand beside each other.
  const [idEnd, titleEnd] = precision === 'float32' ? ['', ''] : [`-${precision}`, `, ${precision}`];
  return {
    description: {
      id: choices.id ?? defaultId(part, settings.windowSeconds) + idEnd,
      title: choices.title ?? titleOf(part, settings.windowSeconds) + titleEnd,
      kind,
      sampleRate: SAMPLE_RATE,
      windowSeconds: settings.windowSeconds,
      windowSamples,
      frameRate: hop === null ? SAMPLE_RATE / MEL_HOP : SAMPLE_RATE / hop,
      framesPerWindow: frames,
      featureDim: encodecmae.featureDim,
      embeddingDim: encodecmae.dim,
      ...(soundless === null ? { sampler: { ...SAMPLER } } : { soundless }),
    },
    graphs,
    models: [part.kind, ...(kind === 'generative' ? (['encodec'] as const) : [])],
    notes,
  };
}

const MEL_HOP = 318;
/** What EnCodecMAE counts as one frame when it masks the end of a clip, whatever its front-end. */
const MASK_HOP = 320;

/**
 * Frames of a whole window. The mel front-end makes a few more than the model listens to in long windows: it masks
 * them, and so they are left out here.
 */
function framesOf(samples: number, hop: number | null): number {
  if (hop !== null) return Math.ceil(samples / hop);
  return Math.min(melFrames(samples), Math.floor(samples / MASK_HOP));
}

function featuresOf(encodecmae: EncodecmaePart, frames: number): Promise<Uint8Array> {
  return encodecmae.frontEnd.kind === 'waveform'
    ? encodecEncoderGraph(encodecmae.frontEnd.seanet, { prefix: 'model' })
    : Promise.resolve(melGraph({ frames }));
}

/** Samples per frame: the strides of the convolutions between the first and the last, each half its kernel. */
function hopOf(seanet: TensorSource): number {
  const kernels = seanet
    .names()
    .flatMap((name) => {
      const index = /^model\.(\d+)\.conv\.conv\.weight(?:_v)?$/.exec(name)?.[1];
      return index === undefined ? [] : [{ index: Number(index), kernel: seanet.shape(name)[2] ?? 0 }];
    })
    .sort((a, b) => a.index - b.index);
  const hop = kernels.slice(1, -1).reduce((product, { kernel }) => product * (kernel / 2), 1);
  if (Number.isInteger(hop) && hop > 1) return hop;
  throw new CheckpointError(
    'shape',
    `the EnCodec encoder in the file makes one frame of ${hop} samples`,
    'Use a file of the published model, complete and unchanged.',
  );
}

function checkCodec(decoder: TensorSource, featureDim: number): void {
  const first = ['model.0.conv.conv.weight_v', 'model.0.conv.conv.weight'].find((name) => decoder.has(name));
  const dim = first === undefined ? 0 : decoder.shape(first)[1];
  if (dim === featureDim) return;
  throw new CheckpointError(
    'shape',
    `this EnCodec has frames of ${dim} numbers, the autoencoder of ${featureDim}`,
    'Use the EnCodec 24 kHz that the autoencoder was trained with.',
  );
}

function theOnly(
  models: readonly RecognisedModel[],
  kinds: readonly ModelPart['kind'][],
): RecognisedModel | null {
  const found = models.filter(({ part }) => kinds.includes(part.kind));
  if (found.length > 1)
    throw doNotFit(
      found,
      'only one of them can make the embeddings of a pack',
      'Add them one after the other',
    );
  return found[0] ?? null;
}

function doNotFit(models: readonly RecognisedModel[], why: string, hint: string): CheckpointError {
  const names = models.map(({ name, part }) => `${name} (${partNames[part.kind]})`).join(' and ');
  return new CheckpointError(
    'unknown-model',
    `${names}: ${why}`,
    `${hint}, as “Bringing the official models” says.`,
  );
}

/** How the models are called in messages. */
export const partNames: Readonly<Record<ModelPart['kind'], string>> = {
  encodec: 'EnCodec 24 kHz',
  encodecmae: 'EnCodecMAE',
  diffusion: 'EnCodecMAE diffusion autoencoder',
  regressor: 'ecmae2ec regressor',
};

function defaultId(part: ModelPart, seconds: number): string {
  // A dot has no place in the identifiers of the engine's API.
  const window = String(seconds).replace('.', '_');
  if (part.kind === 'diffusion') return `pecmae-${window}s`;
  if (part.kind === 'regressor') return `ecmae2ec-${window}s`;
  if (part.kind !== 'encodecmae') return part.kind;
  const { version, frontEnd, dim } = part.encodecmae;
  return frontEnd.kind === 'mel' ? `encodecmae-mel${frontEnd.bands}-${dim}` : `encodecmae-${version}-${dim}`;
}

function titleOf(part: ModelPart, seconds: number): string {
  if (part.kind === 'diffusion') return `PECMAE, windows of ${seconds} s`;
  if (part.kind !== 'encodecmae') return `${partNames[part.kind]}, embeddings`;
  const { version, frontEnd } = part.encodecmae;
  return `EnCodecMAE ${version}, ${frontEnd.kind === 'mel' ? `${frontEnd.bands} mel bands` : 'waveform'}`;
}
