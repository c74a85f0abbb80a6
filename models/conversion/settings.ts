import { CheckpointError } from '../checkpoint/errors.ts';
import type { ModelPart } from './detect.ts';
import type { GinConfig, GinValue } from './gin.ts';
import type { Precision } from './precision.ts';

/** What the user may say where neither weights nor configuration do. */
export interface ConversionChoices {
  /** Default: made from the model and its window. */
  id?: string | undefined;
  title?: string | undefined;
  windowSeconds?: number | undefined;
  /** Attention heads of EnCodecMAE. */
  encoderHeads?: number | undefined;
  /** Attention heads of the summary and the denoiser. */
  heads?: number | undefined;
  /** Of the weights of encoder and denoiser; default `float32`. */
  precision?: Precision | undefined;
}

/** What a state dict does not tell, settled. */
export interface Settings {
  windowSeconds: number;
  encoderHeads: number;
  /** Of the summary and the denoiser; null for models without them. */
  heads: number | null;
  /** One sentence for each value that was assumed. */
  notes: string[];
}

/** All published models listen at 24 kHz; no file says so. */
export const SAMPLE_RATE = 24_000;
/** Windows of the 4 s models, and the chunk of EnCodecMAE's own feature extraction. */
const DEFAULT_WINDOW_SECONDS = 4;
const MAX_WINDOW_SECONDS = 60;
const MIN_WINDOW_SECONDS = 0.1;
/** `num_heads` of TransformerAEDiffusion, which no published configuration sets. */
const DEFAULT_HEADS = 8;
/** The base model has 12 heads of 64 numbers, and so the other sizes are expected to. */
const DEFAULT_HEAD_SIZE = 64;

/**
 * Settles head counts and window length: what the user says, else what a configuration says, else the published
 * defaults, which are named in the notes.
 * @param configs the one inside the file first
 * @throws CheckpointError `bad-config` for values no model can have, or where nothing tells the head count
 */
export function readSettings(
  part: Exclude<ModelPart, { kind: 'encodec' }>,
  configs: readonly (GinConfig | null)[],
  choices: ConversionChoices,
): Settings {
  const notes: string[] = [];
  const ask = (read: (config: GinConfig) => GinValue | undefined): GinValue | undefined => {
    for (const config of configs) {
      const value = config === null ? undefined : read(config);
      if (value !== undefined) return value;
    }
    return undefined;
  };
  const settle = (
    what: string,
    chosen: number | undefined,
    found: GinValue | undefined,
    fallback: number,
  ) => {
    if (chosen !== undefined) return chosen;
    if (found === undefined) notes.push(`No configuration names ${what}: ${fallback} was taken.`);
    return found ?? fallback;
  };
  const { dim } = part.encodecmae;
  const windowSeconds = settle(
    'the window length in seconds',
    choices.windowSeconds,
    ask((gin) => gin.macro('MAX_AUDIO_DURATION')),
    DEFAULT_WINDOW_SECONDS,
  );
  const encoderHeads = settle(
    'the attention heads of EnCodecMAE',
    choices.encoderHeads,
    ask(
      (gin) => gin.macro('NUM_ENCODER_HEADS') ?? gin.binding(/^encoder\/.*MultiHeadAttention$/, 'num_heads'),
    ),
    dim / DEFAULT_HEAD_SIZE,
  );
  const heads =
    part.kind === 'diffusion'
      ? settle(
          'the attention heads of the autoencoder',
          choices.heads,
          ask((gin) => gin.binding(/TransformerAEDiffusion$/, 'num_heads')),
          DEFAULT_HEADS,
        )
      : null;
  return {
    windowSeconds: checkWindow(windowSeconds),
    encoderHeads: checkHeads('EnCodecMAE', encoderHeads, dim, '--encoder-heads'),
    heads: heads === null ? null : checkHeads('the autoencoder', heads, dim, '--heads'),
    notes,
  };
}

function checkWindow(seconds: GinValue): number {
  if (typeof seconds === 'number' && seconds >= MIN_WINDOW_SECONDS && seconds <= MAX_WINDOW_SECONDS)
    return seconds;
  throw new CheckpointError(
    'bad-config',
    `the configuration asks for windows of ${seconds} seconds`,
    `Archetone makes windows of ${MIN_WINDOW_SECONDS} to ${MAX_WINDOW_SECONDS} seconds: correct MAX_AUDIO_DURATION, or use --window.`,
  );
}

/** A wrong head count that divides the width loads without complaint and gives wrong numbers. */
function checkHeads(what: string, heads: GinValue, dim: number, option: string): number {
  if (typeof heads === 'number' && Number.isInteger(heads) && heads > 0 && dim % heads === 0) return heads;
  throw new CheckpointError(
    'bad-config',
    `${what} cannot have ${heads} attention heads on ${dim} numbers`,
    `Add the config.gin that is published with the model, or say the number with ${option}.`,
  );
}
